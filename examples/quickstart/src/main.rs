//! Reads every file of a folder in background jobs that survive `kill -9`.
//!
//! One typed job a file, one job that is due later, one that fails twice and is retried, and a report that waits
//! for all of them: stored in a SQLite file in one step, and run by a server in this same process. Kill it in the
//! middle and start it again: it goes on where it was.

mod arguments;
mod folder;
mod jobs;
mod logging;
mod progress;
mod run;
mod stored_path;
mod summary;
mod tally;
mod work;

use std::process::ExitCode;

use clap::Parser;

use crate::{arguments::Arguments, folder::Folder, work::Ended};

fn main() -> ExitCode {
    match start(&Arguments::parse()) {
        Ok(Ended::Reported) => ExitCode::SUCCESS,
        // What shells report for a program that Ctrl-C ended.
        Ok(Ended::Interrupted) => ExitCode::from(130),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: &Arguments) -> anyhow::Result<Ended> {
    let screen = logging::init();
    let folder = Folder::open(&arguments.folder)?;
    tokio::runtime::Runtime::new()?.block_on(work::work(arguments, folder, &screen))
}

#[cfg(test)]
mod tests {
    /// What an interrupted run has stored is run by the next version of this program.
    #[test]
    fn stored_calls_still_fit_their_jobs() {
        jobs_runtime::testing::assert_signatures("jobs.lock.json");
    }
}
