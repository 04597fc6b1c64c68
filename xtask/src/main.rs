//! The project's tasks: `cargo xtask test` runs all tests, `cargo xtask check` all that needs no running.

mod cargo;
mod check;
mod command;
mod databases;
mod step;
mod storages;
mod test;
mod with_databases;

use std::process::ExitCode;

use crate::{command::Command, databases::private};

fn main() -> ExitCode {
    match Command::parse(lexopt::Parser::from_env()) {
        Ok(command) => run(&command).unwrap_or_else(|error| {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }),
        Err(error) => {
            eprintln!("error: {error}\n\n{}", command::HELP);
            ExitCode::from(2)
        }
    }
}

fn run(command: &Command) -> Result<ExitCode, String> {
    match command {
        Command::Help => print!("{}", command::HELP),
        Command::Test(options) => return test::run(options),
        Command::WithDatabases(options) => return with_databases::run(options),
        Command::Check => return Ok(step::run_all("check", &check::steps(), &[])),
        Command::KeepServers => private::keep()?,
        Command::PrivateServer(words) => print!("{}", private::control(words)?),
    }
    Ok(ExitCode::SUCCESS)
}
