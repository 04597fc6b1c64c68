use sqlx::{AssertSqlSafe, ColumnIndex, Connection as _, Decode, MySqlConnection, PgConnection, Row, Type};

use crate::{Engine, Url};

/// A connection of the test's own: to look at what a storage made, and to do to a database what others do to it.
///
/// All of it panics when the database refuses: that is a failed test.
pub enum Sql {
    /// To MySQL or MariaDB.
    MySql(MySqlConnection),
    /// To PostgreSQL.
    Postgres(PgConnection),
}

impl Sql {
    /// Connects.
    pub async fn connect(engine: Engine, url: &Url) -> Self {
        let url = url.to_string();
        match engine {
            Engine::MySql => Self::MySql(MySqlConnection::connect(&url).await.expect("connected")),
            Engine::Postgres => Self::Postgres(PgConnection::connect(&url).await.expect("connected")),
        }
    }

    /// Runs statements.
    pub async fn run(&mut self, statements: &str) {
        self.try_run(statements).await.expect(statements);
    }

    /// Runs statements that may be refused.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn try_run(&mut self, statements: &str) -> sqlx::Result<()> {
        let query = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()));
        match self {
            Self::MySql(connection) => query.execute(connection).await.map(drop),
            Self::Postgres(connection) => query.execute(connection).await.map(drop),
        }
    }

    /// The last column of a query: texts.
    pub async fn texts(&mut self, query: &str) -> Vec<String> {
        let text = AssertSqlSafe(query.to_owned());
        match self {
            Self::MySql(connection) => last_column(&sqlx::query(text).fetch_all(connection).await.expect(query)),
            Self::Postgres(connection) => last_column(&sqlx::query(text).fetch_all(connection).await.expect(query)),
        }
    }

    /// The number that a query finds.
    pub async fn number(&mut self, query: &str) -> i64 {
        let text = AssertSqlSafe(query.to_owned());
        let number = match self {
            Self::MySql(connection) => sqlx::query_scalar(text).fetch_one(connection).await,
            Self::Postgres(connection) => sqlx::query_scalar(text).fetch_one(connection).await,
        };
        number.expect(query)
    }
}

fn last_column<R: Row>(rows: &[R]) -> Vec<String>
where
    usize: ColumnIndex<R>,
    String: for<'r> Decode<'r, R::Database> + Type<R::Database>,
{
    rows.iter().map(|row| row.get(row.len() - 1)).collect()
}
