use anyhow::Context;
use jobs_runtime::prelude::*;

use crate::run::RunId;

/// The delayed job: returns how many milliseconds after the beginning of the run it ran.
#[job]
pub(crate) async fn remind(run: RunId) -> anyhow::Result<i64> {
    let client = Client::current().context("a job runs with its server's client")?;
    Ok((client.storage().clock().now() - run.began()).num_milliseconds())
}
