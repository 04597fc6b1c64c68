/// A storage that needs a server, or the pooler through which one of them is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    /// Before the server that the tests of PostgreSQL have, which comes first.
    Pgbouncer,
    Mysql,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Postgres, Self::Pgbouncer, Self::Mysql];

    /// The name of the storage, and of the modules its tests stand in.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Pgbouncer => "pgbouncer",
            Self::Mysql => "mysql",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    pub(crate) fn product(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Pgbouncer => "PgBouncer",
            Self::Mysql => "MySQL or MariaDB",
        }
    }

    /// Where tests find the URL of a server.
    pub(crate) fn url_variable(self) -> String {
        format!("JOBS_TEST_{}_URL", self.name().to_uppercase())
    }

    /// Where tests find the command line that makes, stops and kills servers of their own.
    pub(crate) fn control_variable(self) -> String {
        format!("JOBS_TEST_{}_CONTROL", self.name().to_uppercase())
    }

    /// Where a server listens that was not told otherwise.
    pub(crate) fn port(self) -> u16 {
        match self {
            Self::Postgres => 5432,
            Self::Pgbouncer => 6432,
            Self::Mysql => 3306,
        }
    }

    /// Debian's package with a server.
    pub(crate) fn package(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::Pgbouncer => "pgbouncer",
            Self::Mysql => "mariadb-server",
        }
    }

    /// The programs that log in, one of which is needed.
    pub(crate) fn clients(self) -> &'static [&'static str] {
        match self {
            Self::Postgres | Self::Pgbouncer => &["psql"],
            Self::Mysql => &["mariadb", "mysql"],
        }
    }
}
