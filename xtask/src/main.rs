//! The project's tasks: `cargo xtask test` runs all tests, `cargo xtask check` all that needs no running.

mod cargo;
mod check;
mod command;
mod step;
mod storages;
mod test;

use std::process::ExitCode;

use crate::command::Command;

fn main() -> ExitCode {
    match Command::parse(lexopt::Parser::from_env()) {
        Ok(Command::Help) => {
            print!("{}", command::HELP);
            ExitCode::SUCCESS
        }
        Ok(Command::Test(options)) => step::run_all("test", &test::steps(&options)),
        Ok(Command::Check) => step::run_all("check", &check::steps()),
        Err(error) => {
            eprintln!("error: {error}\n\n{}", command::HELP);
            ExitCode::from(2)
        }
    }
}
