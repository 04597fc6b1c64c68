//! What PostgreSQL's planner is told.

use sqlx::postgres::PgConnectOptions;

/// How the planner is told what it can't know: that the tables of what is under way change too fast for statistics.
///
/// A plan for a table that was just empty reads it whole, or sorts a million waiting jobs to find the first hundred. Every
/// statement has an index for its rows and their order, so it is told to use those, and one plan is good for all values.
/// Compiling a plan takes longer than running one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Settings {
    /// By the settings of connections, which nobody else uses.
    OfConnection,
    /// At the beginning of each transaction, because a pooler or the application uses the connections too.
    OfTransaction,
}

macro_rules! settings {
    ($($name:literal = $value:literal),* $(,)?) => {
        const OF_CONNECTION: &[(&str, &str)] = &[$(($name, $value)),*];
        const BEGIN: &str = concat!("BEGIN", $("; SET LOCAL ", $name, " = ", $value),*);
        const BEGIN_SNAPSHOT: &str = concat!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", $("; SET LOCAL ", $name, " = ", $value),*
        );
    };
}

settings! {
    "jit" = "off",
    "enable_seqscan" = "off",
    "enable_bitmapscan" = "off",
    "enable_sort" = "off",
    "enable_hashjoin" = "off",
    "enable_mergejoin" = "off",
    "plan_cache_mode" = "force_generic_plan",
}

impl Settings {
    /// The settings that go into the connections.
    pub(super) fn connect(self, options: PgConnectOptions) -> PgConnectOptions {
        match self {
            Self::OfConnection => options.options(OF_CONNECTION.iter().copied()),
            Self::OfTransaction => options,
        }
    }

    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::OfConnection => "BEGIN",
            Self::OfTransaction => BEGIN,
        }
    }

    pub(super) fn begin_snapshot(self) -> &'static str {
        match self {
            Self::OfConnection => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Self::OfTransaction => BEGIN_SNAPSHOT,
        }
    }
}
