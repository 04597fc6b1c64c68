//! The function of PostgreSQL.

use std::{collections::HashSet, sync::Arc};

use jobs_runtime::{
    job::JobId,
    prelude::*,
    state::StateName,
    storage::{JobFilter, PageRequest, Storage, postgres::PostgresOptions},
};
use jobs_tests::{Postgres, Schema};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

/// A schema with the function, and a connection of someone who knows only SQL.
struct Sql {
    storage: Arc<dyn Storage>,
    connection: PgConnection,
    schema: Schema,
}

impl Sql {
    async fn open() -> Self {
        let (options, schema): (PostgresOptions, Schema) = Postgres::options();
        let storage = options.open().await.expect("a new schema");
        let connection = PgConnection::connect(&Postgres::url()).await.expect("connected");
        Self { storage, connection, schema }
    }

    /// Calls the function with parameters as they are written.
    async fn enqueue(&mut self, parameters: &str) -> sqlx::Result<JobId> {
        let call = format!("SELECT {}.enqueue({parameters})::text", self.schema.0);
        let row = sqlx::raw_sql(AssertSqlSafe(call)).fetch_one(&mut self.connection).await?;
        Ok(row.get::<String, _>(0).parse().expect("an id"))
    }

    async fn execute(&mut self, statement: &str) {
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut self.connection).await.expect("executed");
    }

    async fn unfinished(&self) -> u64 {
        self.storage.counts().await.expect("counted").unfinished()
    }
}

#[tokio::test]
async fn what_the_client_refuses_is_refused_with_value_and_rule() {
    let mut sql = Sql::open().await;
    let long = "x".repeat(201);
    for (parameters, told) in [
        ("'a', 'b', '[1, 2]'", "the arguments of `a.b` must be a JSON object"),
        ("'a', 'b', '[1, 2]'", "and not `[1, 2]`"),
        ("'a', 'b', 'null'", "and not `null`"),
        ("'a', 'b', NULL", "and not `NULL`"),
        ("'a', 'b', '{'", "invalid input syntax for type json"),
        ("'', 'b', '{}'", "`.b` is not a job name: type and method have 1 to 200 bytes each"),
        ("'a', NULL, '{}'", "`a.` is not a job name"),
        (&format!("'a', '{long}', '{{}}'"), "is not a job name"),
        ("'a', 'b', '{}', queue => 'Mail!'", "invalid queue name `Mail!`: use 1 to 100 characters of `a-z`"),
        ("'a', 'b', '{}', queue => E'mail\\n'", "invalid queue name"),
        ("'a', 'b', '{}', queue => 'é'", "invalid queue name `é`"),
        ("'a', 'b', '{}', queue => repeat('q', 101)", "invalid queue name"),
        ("'a', 'b', '{}', priority => 32768", "priority 32768 is out of range: it is from -32768 to 32767"),
        ("'a', 'b', '{}', max_attempts => -1", "max_attempts -1 is less than zero"),
        ("'a', 'b', '{}', run_at => 'infinity'", "run_at infinity is too late"),
        ("'a', 'b', '{}', id => '42'", "invalid input syntax for type uuid"),
    ] {
        let error = sql.enqueue(parameters).await.expect_err(parameters).to_string();
        assert!(error.contains(told), "{parameters}: {error}");
    }
    assert_eq!(sql.unfinished().await, 0);
    sql.storage.close().await;
}

#[tokio::test]
async fn what_is_given_is_what_is_stored() {
    let mut sql = Sql::open().await;
    let parameters =
        r#"'my_app::EmailService', 'send', '{"to": "ünï"}', queue => 'bulk', priority => -7, max_attempts => 3"#;
    let id = sql.enqueue(parameters).await.expect("stored");
    let details = sql.storage.job(id).await.expect("read").expect("a job");
    assert_eq!(details.job.name.to_string(), "my_app::EmailService.send");
    assert_eq!(details.job.arguments, r#"{"to": "ünï"}"#);
    assert_eq!((details.job.queue.as_str(), details.job.priority, details.max_attempts), ("bulk", -7, Some(3)));
    let age = sql.storage.clock().now() - details.job.created_at;
    assert!(age.num_seconds().abs() < 60, "{age}");
    let id = sql.enqueue("'a', 'b', '{}', NULL, NULL, NULL, NULL, NULL").await.expect("stored");
    let details = sql.storage.job(id).await.expect("read").expect("a job");
    assert_eq!((details.job.queue.as_str(), details.job.priority, details.max_attempts), ("default", 0, None));
    sql.storage.close().await;
}

#[tokio::test]
async fn a_time_that_is_past_is_now() {
    let mut sql = Sql::open().await;
    for (run_at, state) in [
        ("now() - interval '1 day'", StateName::Enqueued),
        ("'-infinity'", StateName::Enqueued),
        ("now() + interval '1 day'", StateName::Scheduled),
    ] {
        let id = sql.enqueue(&format!("'a', 'b', '{{}}', run_at => {run_at}")).await.expect("stored");
        let details = sql.storage.job(id).await.expect("read").expect("a job");
        assert_eq!(details.job.state, state, "{run_at}");
        assert_eq!(details.history.first().map(|entry| entry.state), Some(state), "{run_at}");
    }
    sql.storage.close().await;
}

/// A job that is not there is not found, and one of Rust's is left as it is.
#[tokio::test]
async fn an_id_is_stored_once_whoever_stored_it() {
    let mut sql = Sql::open().await;
    let client = Client::new(sql.storage.clone());
    let handle = client.enqueue(super::SendWelcome::new(1, "a@b.c")).await.expect("stored");
    let again = sql.enqueue(&format!("'a', 'b', '{{}}', id => '{}'", handle.id())).await.expect("answered");
    assert_eq!(again, handle.id());
    let details = handle.details().await.expect("read").expect("a job");
    assert_eq!(details.job.name.to_string(), "my_app.send_welcome");
    assert_eq!(sql.unfinished().await, 1);
    sql.storage.close().await;
}

#[tokio::test]
async fn a_job_is_there_when_its_transaction_is_committed() {
    let mut sql = Sql::open().await;
    sql.execute("BEGIN").await;
    sql.enqueue("'a', 'b', '{}'").await.expect("stored");
    assert_eq!(sql.unfinished().await, 0);
    sql.execute("ROLLBACK; BEGIN").await;
    sql.enqueue("'a', 'b', '{}'").await.expect("stored");
    sql.execute("COMMIT").await;
    assert_eq!(sql.unfinished().await, 1);
    sql.storage.close().await;
}

/// Whoever calls it may have set any, and have functions of the same names in it.
#[tokio::test]
async fn the_callers_search_path_does_not_matter() {
    let mut sql = Sql::open().await;
    let schema = sql.schema.0.clone();
    let shadow = format!(
        "CREATE FUNCTION {schema}.nextval(regclass) RETURNS bigint LANGUAGE sql AS 'SELECT 1/0'; \
         SET search_path = {schema}, pg_catalog"
    );
    sql.execute(&shadow).await;
    sql.enqueue("'a', 'b', '{}'").await.expect("stored");
    sql.execute("SET search_path = ''").await;
    sql.enqueue("'a', 'b', '{}'").await.expect("stored");
    assert_eq!(sql.unfinished().await, 2);
    sql.storage.close().await;
}

/// Such as those of Django, whose ids are of version 4.
#[tokio::test]
async fn ids_of_any_version_are_listed_and_found() {
    let mut sql = Sql::open().await;
    let mut ids = HashSet::new();
    for _ in 0..7 {
        ids.insert(sql.enqueue("'a', 'b', '{}', id => gen_random_uuid()").await.expect("stored"));
    }
    for filter in [JobFilter::all(), JobFilter::state(StateName::Enqueued)] {
        let (mut found, mut request) = (HashSet::new(), PageRequest::first(2));
        loop {
            let page = sql.storage.jobs(&filter, &request).await.expect("read");
            assert!(page.jobs.iter().all(|job| found.insert(job.id)), "a job is listed twice");
            let Some(next) = page.next else { break };
            request = PageRequest::after(2, next);
        }
        assert_eq!(found, ids);
    }
    let client = Client::new(sql.storage.clone());
    for id in ids {
        client.delete(id).await.expect("deleted");
    }
    assert_eq!(sql.unfinished().await, 0);
    sql.storage.close().await;
}
