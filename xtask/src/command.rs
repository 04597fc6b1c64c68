use lexopt::prelude::*;

use crate::{
    storages::{self, Storages},
    test::Options,
};

pub(crate) const HELP: &str = "\
Usage: cargo xtask test [--storages NAME,…] [--only NAME,…]
       cargo xtask check

test   runs all tests: with cargo-nextest if it is installed, else with `cargo test`
         --storages  the storages to test, such as `memory,sqlite`; all that are known by default
         --only      only these packages, such as `quickstart`, or `doc` for the documentation's examples
check  looks at format, lints and documentation, and at licences if cargo-deny is installed
";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Test(Options),
    Check,
}

impl Command {
    pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Self, lexopt::Error> {
        match parser.next()? {
            None | Some(Long("help") | Short('h')) => Ok(Self::Help),
            Some(Value(task)) if task == "test" => test(parser),
            Some(Value(task)) if task == "check" => {
                parser.next()?.map_or(Ok(Self::Check), |other| Err(other.unexpected()))
            }
            Some(Value(task)) => Err(format!("unknown task `{}`", task.display()).into()),
            Some(other) => Err(other.unexpected()),
        }
    }
}

fn test(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let (mut storages, mut only) = (Storages::all(), Vec::new());
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("storages") => storages = parser.value()?.parse_with(storages::parse)?,
            Long("only") => only.extend(parser.value()?.string()?.split(',').map(str::to_owned)),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Test(Options { storages, only }))
}

#[cfg(test)]
mod tests {
    use super::Command;
    use crate::{storages::Storages, test::Options};

    fn parse(line: &str) -> Result<Command, String> {
        Command::parse(lexopt::Parser::from_args(line.split_whitespace())).map_err(|error| error.to_string())
    }

    #[test]
    fn without_options_everything_is_tested() {
        let options = Options { storages: Storages::all(), only: Vec::new() };
        assert_eq!(parse("test"), Ok(Command::Test(options)));
    }

    #[test]
    fn lists_are_split_at_commas_and_may_be_repeated() {
        let Ok(Command::Test(options)) = parse("test --only a,b --storages=sqlite --only doc") else {
            panic!("not understood")
        };
        assert_eq!(options.only, ["a", "b", "doc"]);
        assert_eq!(options.storages.to_string(), "sqlite");
    }

    #[test]
    fn an_unknown_storage_is_refused_with_the_known_ones() {
        let error = parse("test --storages memory,oracle").expect_err("unknown");
        assert!(error.contains("`oracle`") && error.contains("memory, sqlite"), "{error}");
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
