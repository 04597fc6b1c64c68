//! Jobs in PostgreSQL 13 or later, for many machines.
//!
//! What one process stores wakes the others by `NOTIFY`, sent after the commit and for many commits together; polling
//! stands behind it.

mod claim;
mod connection;
mod enqueue;
mod finish;
mod notify;
mod options;
mod prepared;
mod promote;
mod savepoint;
mod schema;
mod session;
mod settings;
mod turn;
mod watermark;

use std::{sync::Arc, time::Duration};

use sqlx::{PgConnection, Transaction};
use tokio::runtime::Handle;

pub use self::options::PostgresOptions;
use self::{notify::Notifier, settings::Settings, watermark::Watermarks};
use super::{
    Claim, ClaimedJob, Finish, Intervals, NewJob, Promotion, Recorded, StorageResult, Turn,
    signals::Effects,
    sql::{
        CommonOptions, Dialect, Query, Verb,
        pooled::{Driver, Shared, Tx, Work},
    },
};

/// What is PostgreSQL's own.
#[derive(Debug)]
pub(crate) struct Postgres {
    schema: String,
    notifier: Notifier,
    watermarks: Watermarks,
    settings: Settings,
    has_pooler: bool,
}

/// How often servers claim when nobody notifies them, while notifications arrive.
const SAFETY_INTERVAL: Duration = Duration::from_secs(5);

impl Driver for Postgres {
    type Sqlx = sqlx::Postgres;

    const THREAD: &'static str = "jobs-postgres";
    const DIALECT: &'static Dialect = &session::DIALECT;

    fn prefix(&self) -> String {
        options::prefix(&self.schema)
    }

    fn begin(&self) -> &'static str {
        self.settings.begin()
    }

    fn begin_snapshot(&self) -> &'static str {
        self.settings.begin_snapshot()
    }

    fn is_always_in_transaction(&self) -> bool {
        self.settings == Settings::OfTransaction
    }

    async fn prepare_schema(&self, options: &CommonOptions, connection: &mut PgConnection) -> StorageResult<()> {
        schema::prepare(self, options, connection).await
    }

    fn explain(&self, error: &sqlx::Error) -> Option<String> {
        connection::explain(&self.schema, error)
    }

    fn is_conflict(error: &sqlx::Error) -> bool {
        connection::is_conflict(error)
    }

    fn has_ended(error: &sqlx::Error) -> bool {
        connection::has_ended(error)
    }

    async fn time(connection: &mut PgConnection) -> sqlx::Result<i64> {
        connection::time(connection).await
    }

    fn start(thread: &Handle, shared: &Arc<Shared<Self>>) {
        notify::start(thread, shared);
    }

    fn begin_job(&self) -> &'static str {
        if self.has_pooler { prepared::BEGIN_JOB } else { "BEGIN; SAVEPOINT jobs_run" }
    }

    fn roll_back_job(&self) -> Option<fn(Transaction<'static, sqlx::Postgres>)> {
        self.has_pooler.then_some(prepared::roll_back)
    }

    async fn finish_one(tx: &mut Tx<'_, Self>, finish: Finish) -> StorageResult<Vec<Recorded>> {
        finish::FinishEach(vec![finish]).run(tx).await
    }

    async fn check_open(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let release = if self.has_pooler { prepared::RELEASE_JOB } else { "RELEASE SAVEPOINT jobs_run" };
        sqlx::raw_sql(release).execute(connection).await.map(drop)
    }

    async fn begin_savepoint(connection: &mut PgConnection) -> sqlx::Result<()> {
        savepoint::begin(connection).await
    }

    async fn announce_in(tx: &mut Tx<'_, Self>) -> StorageResult<()> {
        notify::announce_in(tx).await
    }

    fn tell(&self, effects: Effects) {
        self.notifier.notify(effects);
    }

    async fn tell_at_last(shared: &Shared<Self>) {
        notify::tell_at_last(shared).await;
    }

    fn came_back(&self) {
        self.watermarks.forget();
    }

    fn queue_poll_interval(&self, set: Intervals) -> Duration {
        if self.notifier.hears() { set.queue_poll.max(SAFETY_INTERVAL) } else { set.queue_poll }
    }

    async fn verb<V: Verb>(verb: &V, tx: &mut Tx<'_, Self>) -> StorageResult<V::Answer> {
        verb.run(tx).await
    }

    async fn query<Q: Query>(query: &Q, tx: &mut Tx<'_, Self>) -> StorageResult<Q::Answer> {
        query.run(tx).await
    }

    fn enqueue(jobs: Vec<NewJob>) -> impl Work<Self, Answer = ()> {
        enqueue::Enqueue(jobs)
    }

    fn claim(claim: Claim) -> impl Work<Self, Answer = Vec<ClaimedJob>> {
        claim
    }

    async fn finish(shared: &Shared<Self>, batch: Vec<Finish>) -> StorageResult<Vec<Recorded>> {
        finish::finish(shared, batch).await
    }

    async fn finish_and_claim(shared: &Shared<Self>, batch: Vec<Finish>, claim: Claim) -> Turn {
        turn::finish_and_claim(shared, batch, claim).await
    }

    fn promote(limit: usize) -> impl Work<Self, Answer = Promotion> {
        promote::Promote { limit }
    }
}
