use std::any::Any;

use jobs_runtime::storage::{Migration, migrations};
use jobs_tests::{MySql, PgBouncer, Postgres, temporary_file};
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection, PgConnection, SqliteConnection};

/// A database that has tables; PostgreSQL also through a pooler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Postgres,
    PgBouncer,
    MySql,
    Sqlite,
}

/// An empty place for the tables of one test, which is dropped with it.
pub(crate) struct Place {
    kind: Kind,
    /// The URL of the storage.
    pub(crate) url: String,
    /// What stands before the names of its tables.
    pub(crate) prefix: String,
    /// Where statements are run by hand.
    by_hand: String,
    _keep: Box<dyn Any>,
}

impl Place {
    pub(crate) async fn new(kind: Kind) -> Self {
        match kind {
            Kind::Postgres | Kind::PgBouncer => {
                let (_, schema) = Postgres::options();
                let (url, pooler) = match kind {
                    Kind::Postgres => (Postgres::url(), ""),
                    _ => (PgBouncer::url(), "&pooler=true&queue_poll_interval=50ms"),
                };
                let separator = if url.contains('?') { '&' } else { '?' };
                let (url, prefix) = (format!("{url}{separator}schema={}{pooler}", schema.0), format!("{}.", schema.0));
                Self { kind, url, prefix, by_hand: Postgres::url(), _keep: Box::new(schema) }
            }
            Kind::MySql => {
                let (_, database) = MySql::options().await;
                let url = format!("{}?table_prefix=jobs_", database.url());
                Self { kind, url, prefix: "jobs_".to_owned(), by_hand: database.url(), _keep: Box::new(database) }
            }
            Kind::Sqlite => {
                let (folder, file) = temporary_file();
                let by_hand = format!("sqlite://{}", file.display());
                let url = format!("{by_hand}?table_prefix=jobs_");
                Self { kind, url, prefix: "jobs_".to_owned(), by_hand, _keep: Box::new(folder) }
            }
        }
    }

    /// The same for programs that don't change tables.
    pub(crate) fn unprepared(&self) -> String {
        format!("{}&prepare_schema=false", self.url)
    }

    /// All migrations, as they are printed for this place.
    pub(crate) fn printed(&self) -> Vec<Migration> {
        migrations(&self.url).expect("printed")
    }

    pub(crate) fn latest(&self) -> i64 {
        self.printed().len() as i64
    }

    /// Runs statements as somebody would by hand.
    pub(crate) async fn execute(&self, statements: &str) {
        let query = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()));
        let done = match self.kind {
            Kind::Postgres | Kind::PgBouncer => query.execute(&mut self.postgres().await).await.map(drop),
            Kind::MySql => query.execute(&mut self.mysql().await).await.map(drop),
            Kind::Sqlite => query.execute(&mut self.sqlite().await).await.map(drop),
        };
        done.unwrap_or_else(|error| panic!("{error}: {statements}"));
    }

    /// The versions that are noted.
    pub(crate) async fn versions(&self) -> Vec<i64> {
        let select = AssertSqlSafe(format!("SELECT version FROM {}schema ORDER BY version", self.prefix));
        let versions = match self.kind {
            Kind::Postgres | Kind::PgBouncer => sqlx::query_scalar(select).fetch_all(&mut self.postgres().await).await,
            Kind::MySql => sqlx::query_scalar(select).fetch_all(&mut self.mysql().await).await,
            Kind::Sqlite => sqlx::query_scalar(select).fetch_all(&mut self.sqlite().await).await,
        };
        versions.expect("the versions")
    }

    /// Stores a call of `work(5)` as programs of the first version did.
    pub(crate) async fn store_a_job_of_version_1(&self) {
        let id = "'0198c1ac-5b2e-7d3a-9c0e-3f1b5a7d9e11'";
        let (id, place, awaited) = match self.kind {
            Kind::Sqlite => (format!("x{}", id.replace('-', "")), "7".to_owned(), ("", "")),
            _ => (id.to_owned(), format!("nextval('{}place')", self.prefix), (", awaited", ", false")),
        };
        let (p, (awaited, not)) = (&self.prefix, awaited);
        self.execute(&format!(
            "INSERT INTO {p}job (id, type, method, arguments, queue, priority, created_at, state, state_at, place, spent, lost)
             VALUES ({id}, 'jobs_tests', 'work', '{{\"n\":5}}', 'default', 0, 1, 'enqueued', 1, {place}, 0, 0);
             INSERT INTO {p}ready (queue, rank, seq, job{awaited}) SELECT queue, 0, place, id{not} FROM {p}job"
        ))
        .await;
    }

    async fn postgres(&self) -> PgConnection {
        PgConnection::connect(&self.by_hand).await.expect("connected")
    }

    async fn mysql(&self) -> MySqlConnection {
        MySqlConnection::connect(&self.by_hand).await.expect("connected")
    }

    async fn sqlite(&self) -> SqliteConnection {
        SqliteConnection::connect(&format!("{}?mode=rwc", self.by_hand)).await.expect("opened")
    }
}
