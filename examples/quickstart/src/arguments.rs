use std::{path::PathBuf, time::Duration};

use clap::Parser;

/// Reads every file of a folder in background jobs that survive `kill -9`.
///
/// An interrupted run is resumed by the same command; a finished one is followed by a new one.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// The folder to read. Left out are hidden folders, folders named `target`, `*.db` files and the database.
    /// By default the sources of the project itself.
    #[arg(default_value = SOURCES, hide_default_value = true)]
    pub(crate) folder: PathBuf,

    /// The SQLite file that the jobs are stored in; made if it isn't there.
    #[arg(long, value_name = "FILE", default_value = "quickstart.db")]
    pub(crate) database: PathBuf,

    /// Lets each file take so much longer, so that there is time to watch and to kill the program.
    #[arg(long, value_name = "MILLISECONDS", default_value = "0", value_parser = milliseconds)]
    pub(crate) slow: Duration,
}

/// The root of the workspace, seen from this package.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn milliseconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_millis)
}
