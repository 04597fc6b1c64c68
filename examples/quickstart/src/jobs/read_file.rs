use std::{
    fs::File,
    io::{self, ErrorKind},
    time::{Duration, Instant},
};

use jobs_runtime::prelude::*;

use super::Contents;
use crate::{run::RunId, stored_path::StoredPath};

/// How much longer each file takes, so that there is something to watch. The server's, not the job's: a run may be
/// resumed at another pace.
#[derive(Debug)]
pub(crate) struct Pace(pub(crate) Duration);

/// Reads one file. It isn't `async`, because reading blocks: the server runs it on a thread made for that.
#[job(queue = "files", retry(attempts = 2, fixed = "200ms"))]
pub(crate) fn read_file(pace: Data<Pace>, cx: JobContext, run: RunId, path: StoredPath) -> Result<Contents, JobError> {
    let contents = read(&path).map_err(|error| unreadable(&path, &error))?;
    linger(pace.0, &cx)?;
    tracing::debug!(%run, %path, bytes = contents.bytes, "read");
    Ok(contents)
}

fn read(path: &StoredPath) -> io::Result<Contents> {
    // A file may have become a pipe since the folder was read, and to open one would wait for ever.
    if !path.as_path().metadata()?.is_file() {
        return Err(io::Error::new(ErrorKind::IsADirectory, "it is not a file any more"));
    }
    Contents::read(File::open(path.as_path())?)
}

/// A file that is gone stays gone; other trouble may pass, and is retried.
fn unreadable(path: &StoredPath, error: &io::Error) -> JobError {
    let message = format!("can't read `{path}`: {error}");
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::IsADirectory | ErrorKind::NotADirectory => {
            JobError::permanent(message)
        }
        _ => JobError::new(message),
    }
}

/// Waits in small steps, so that a server which shuts down need not wait for the whole.
fn linger(time: Duration, cx: &JobContext) -> Result<(), JobError> {
    let began = Instant::now();
    while let Some(rest) = time.checked_sub(began.elapsed()).filter(|rest| !rest.is_zero()) {
        if cx.is_cancelled() {
            return Err(JobError::new("stopped while it lingered"));
        }
        std::thread::sleep(rest.min(Duration::from_millis(50)));
    }
    Ok(())
}
