use lexopt::prelude::*;

use crate::{
    databases::private,
    storages::{self, Storages},
    test, with_databases,
};

pub(crate) const HELP: &str = "\
Usage: cargo xtask test [--storages NAME,…] [--private] [--only NAME,…]
       cargo xtask with-databases [--storages NAME,…] [--private] -- COMMAND…
       cargo xtask check

test   runs all tests: with cargo-nextest if it is installed, else with `cargo test`
         --storages  the storages to test, such as `memory,sqlite`; all that are known by default
         --private   starts database servers of its own, also where others answer on the usual ports
         --only      only these packages, such as `quickstart`, or `doc` for the documentation's examples
with-databases
       runs a command with the databases that tests get, such as `-- cargo nextest run postgres::claim`
check  looks at format, lints (also of jobs-runtime with each feature alone) and documentation, and at licences if
       cargo-deny is installed

Where the tests' databases come from is told in docs/testing.md.
";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Test(test::Options),
    WithDatabases(with_databases::Options),
    Check,
    /// The process behind private servers, which xtask starts.
    KeepServers,
    /// What tests ask that process for.
    PrivateServer(Vec<String>),
}

impl Command {
    pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Self, lexopt::Error> {
        match parser.next()? {
            None | Some(Long("help") | Short('h')) => Ok(Self::Help),
            Some(Value(task)) if task == "test" => test(parser),
            Some(Value(task)) if task == "with-databases" => with_databases(parser),
            Some(Value(task)) if task == "check" => alone(parser, Self::Check),
            Some(Value(task)) if task == private::KEEPER => alone(parser, Self::KeepServers),
            Some(Value(task)) if task == private::CONTROL => Ok(Self::PrivateServer(rest(&mut parser)?)),
            Some(Value(task)) => Err(format!("unknown task `{}`", task.display()).into()),
            Some(other) => Err(other.unexpected()),
        }
    }
}

fn alone(mut parser: lexopt::Parser, task: Command) -> Result<Command, lexopt::Error> {
    parser.next()?.map_or(Ok(task), |other| Err(other.unexpected()))
}

fn test(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut options = test::Options { storages: Storages::all(), private: false, only: Vec::new() };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("storages") => options.storages = parser.value()?.parse_with(storages::parse)?,
            Long("private") => options.private = true,
            Long("only") => options.only.extend(parser.value()?.string()?.split(',').map(str::to_owned)),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Test(options))
}

fn with_databases(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let (mut storages, mut private) = (Storages::all(), false);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("storages") => storages = parser.value()?.parse_with(storages::parse)?,
            Long("private") => private = true,
            Value(program) => {
                let (program, arguments) = (program.string()?, rest(&mut parser)?);
                return Ok(Command::WithDatabases(with_databases::Options { storages, private, program, arguments }));
            }
            other => return Err(other.unexpected()),
        }
    }
    Err("`with-databases` needs a command, such as `-- cargo nextest run`".into())
}

/// The arguments that are left, whatever they look like.
fn rest(parser: &mut lexopt::Parser) -> Result<Vec<String>, lexopt::Error> {
    parser.raw_args()?.map(|argument| argument.string()).collect()
}

#[cfg(test)]
mod tests {
    use super::Command;
    use crate::{storages::Storages, test};

    fn parse(line: &str) -> Result<Command, String> {
        Command::parse(lexopt::Parser::from_args(line.split_whitespace())).map_err(|error| error.to_string())
    }

    #[test]
    fn without_options_everything_is_tested() {
        let options = test::Options { storages: Storages::all(), private: false, only: Vec::new() };
        assert_eq!(parse("test"), Ok(Command::Test(options)));
    }

    #[test]
    fn lists_are_split_at_commas_and_may_be_repeated() {
        let Ok(Command::Test(options)) = parse("test --only a,b --storages=sqlite,mysql --private --only doc") else {
            panic!("not understood")
        };
        assert_eq!(options.only, ["a", "b", "doc"]);
        assert_eq!(options.storages.to_string(), "sqlite,mysql");
        assert!(options.private);
    }

    #[test]
    fn an_unknown_storage_is_refused_with_the_known_ones() {
        let error = parse("test --storages memory,oracle").expect_err("unknown");
        assert!(error.contains("`oracle`") && error.contains("memory, sqlite, postgres, pgbouncer, mysql"), "{error}");
    }

    #[test]
    fn a_command_keeps_its_own_options() {
        let args = ["test", "--private"].map(str::to_owned);
        for line in ["--storages postgres -- cargo test --private", "--storages postgres cargo test --private"] {
            let Ok(Command::WithDatabases(options)) = parse(&format!("with-databases {line}")) else {
                panic!("not understood: {line}")
            };
            assert_eq!((options.program.as_str(), options.arguments.as_slice()), ("cargo", &args[..]));
            assert!(!options.private);
        }
        let error = parse("with-databases --private --").expect_err("nothing to run");
        assert!(error.contains("needs a command"), "{error}");
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (line, named) in
            [("tets", "tets"), ("test now", "now"), ("check --fast", "--fast"), ("--verbose", "--verbose")]
        {
            let error = parse(line).expect_err(line);
            assert!(error.contains(named), "{error}");
        }
    }
}
