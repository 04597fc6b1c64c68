use std::{any::Any, str::FromStr as _, sync::Arc, time::Duration};

use jobs_runtime::{
    clock::Clock,
    job::JobId,
    storage::{Storage, sqlite::SqliteOptions},
};
use jobs_tests::{MySql, PgBouncer, Postgres, temporary_file};
use sqlx::{
    AssertSqlSafe, Connection as _, MySqlConnection, PgConnection, Row as _, SqliteConnection,
    postgres::PgConnectOptions,
};

use super::ID;

const PAGE: &str = include_str!("../../../docs/other-languages.md");

/// The databases of the page; PostgreSQL also where everyone is behind a pooler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Postgres,
    PgBouncer,
    MySql,
    Sqlite,
}

/// A storage, and beside it a program that knows only SQL.
pub(crate) struct Elsewhere {
    pub(crate) storage: Arc<dyn Storage>,
    kind: Kind,
    program: Program,
    /// What the names of the page's tables begin with, and those of the test's.
    names: [String; 2],
    _keep: Box<dyn Any>,
}

pub(crate) enum Program {
    Postgres(PgConnection),
    MySql(MySqlConnection),
    Sqlite(SqliteConnection),
}

impl Elsewhere {
    /// A storage with nothing in it; its clock is the database's if none is given.
    pub(crate) async fn open(kind: Kind, clock: Option<Clock>) -> Self {
        match kind {
            Kind::Postgres | Kind::PgBouncer => {
                let ((options, schema), url) = match kind {
                    Kind::Postgres => (Postgres::options(), Postgres::url()),
                    _ => (PgBouncer::options(), PgBouncer::url()),
                };
                let options = options.listen_url(&Postgres::url()).expect("a URL");
                let options = if let Some(clock) = clock { options.clock(clock) } else { options };
                let storage = options.open().await.expect("a new schema");
                let connect = PgConnectOptions::from_str(&url).expect("a URL").extra_float_digits(None);
                let program = PgConnection::connect_with(&connect).await.expect("connected");
                let names = ["jobs.".to_owned(), format!("{}.", schema.0)];
                Self { storage, kind, program: Program::Postgres(program), names, _keep: Box::new(schema) }
            }
            Kind::MySql => {
                let (options, database) = MySql::options().await;
                let options = if let Some(clock) = clock { options.clock(clock) } else { options };
                let storage = options.open().await.expect("a new database");
                let program = MySqlConnection::connect(&database.url()).await.expect("connected");
                let names = ["jobs_".to_owned(), "jobs_".to_owned()];
                Self { storage, kind, program: Program::MySql(program), names, _keep: Box::new(database) }
            }
            Kind::Sqlite => {
                let (folder, file) = temporary_file();
                let options = SqliteOptions::new(&file).table_prefix("mail_");
                let options = if let Some(clock) = clock { options.clock(clock) } else { options };
                let storage = options.open().await.expect("a new file");
                let program = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await;
                let program = Program::Sqlite(program.expect("opened"));
                let names = ["jobs_".to_owned(), "mail_".to_owned()];
                Self { storage, kind, program, names, _keep: Box::new(folder) }
            }
        }
    }

    /// Waits until the storage listens, if it does: then it polls seldom.
    pub(crate) async fn until_it_hears(&self) {
        for _ in 0..1_000 {
            if self.storage.intervals().queue_poll >= Duration::from_secs(5) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it does not hear: {:?}", self.storage.intervals());
    }

    /// The SQL that stands on the page under a title, as the test's database wants it.
    pub(crate) fn block(&self, title: &str) -> String {
        let database = match self.kind {
            Kind::Postgres | Kind::PgBouncer => "PostgreSQL",
            Kind::MySql => "MySQL and MariaDB",
            Kind::Sqlite => "SQLite",
        };
        let id = ID.replace('-', "");
        match (&self.program, title) {
            // The page tells in words what is to be changed to store a job once.
            (Program::MySql(_), "Once") => {
                let now = sql(database, "Now");
                let line = now.lines().find(|line| line.starts_with("SET @id")).expect("a line");
                now.replace(line, &format!("SET @id = UNHEX(REPLACE('{ID}', '-', ''));"))
            }
            (Program::Sqlite(_), "Once") => sql(database, "Now").replace(":id", &format!("x'{id}'")),
            (Program::Sqlite(_), "What became of it") => sql(database, title).replace(":id", &format!("x'{id}'")),
            (Program::Sqlite(_), _) => {
                let new = JobId::generate(Clock::system().now());
                sql(database, title).replace(":id", &format!("x'{}'", new.to_string().replace('-', "")))
            }
            _ => sql(database, title).to_owned(),
        }
        .replace(&self.names[0], &self.names[1])
    }

    pub(crate) async fn execute(&mut self, title: &str) {
        let text = self.block(title);
        self.run(&text).await;
    }

    pub(crate) async fn run(&mut self, text: &str) {
        self.program.run(text).await.unwrap_or_else(|error| panic!("{text}\n{error}"));
    }

    /// State, result and failure of the page's job.
    pub(crate) async fn look(&mut self) -> Option<(String, Option<String>, Option<String>)> {
        let text = self.block("What became of it");
        if let Program::MySql(_) = self.program {
            self.run(&format!("SET @id = UNHEX(REPLACE('{ID}', '-', ''))")).await;
        }
        let query = sqlx::raw_sql(AssertSqlSafe(text));
        match &mut self.program {
            Program::Postgres(program) => {
                let row = query.fetch_optional(program).await.expect("asked")?;
                Some((row.get(0), row.get(1), row.get(2)))
            }
            Program::MySql(program) => {
                let row = query.fetch_optional(program).await.expect("asked")?;
                Some((row.get(0), row.get(1), row.get(2)))
            }
            Program::Sqlite(program) => {
                let row = query.fetch_optional(program).await.expect("asked")?;
                Some((row.get(0), row.get(1), row.get(2)))
            }
        }
    }

    pub(crate) async fn close(self) {
        self.storage.close().await;
    }
}

impl Program {
    pub(crate) async fn run(&mut self, text: &str) -> sqlx::Result<()> {
        let query = sqlx::raw_sql(AssertSqlSafe(text.to_owned()));
        match self {
            Self::Postgres(program) => query.execute(program).await.map(drop),
            Self::MySql(program) => query.execute(program).await.map(drop),
            Self::Sqlite(program) => query.execute(program).await.map(drop),
        }
    }
}

/// The block of SQL under a title of a database.
fn sql(database: &str, title: &str) -> &'static str {
    let after = |text: &'static str, start: &str| {
        text.split_once(start).unwrap_or_else(|| panic!("the page has no `{start}`")).1
    };
    let section = after(PAGE, &format!("\n## {database}\n")).split("\n## ").next().unwrap_or_default();
    let block = after(section, &format!("\n### {title}\n")).split("\n### ").next().unwrap_or_default();
    after(block, "```sql\n").split("```").next().unwrap_or_default()
}
