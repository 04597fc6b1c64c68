use anyhow::bail;
use jobs_runtime::prelude::*;

use crate::run::RunId;

/// How often the job below fails before it succeeds.
const STUMBLES: u32 = 2;

/// The job that fails: its first two runs stumble, the third returns which one it was.
#[job(retry(attempts = 5, fixed = "300ms"))]
pub(crate) async fn stumble(cx: JobContext, run: RunId) -> anyhow::Result<u32> {
    if cx.attempt() <= STUMBLES {
        bail!("stumbled on purpose, time {} of {STUMBLES}, in the run of {run}", cx.attempt());
    }
    Ok(cx.attempt())
}
