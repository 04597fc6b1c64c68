//! Waking other processes, and being woken by them.

use std::{
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::{
    runtime::Handle,
    sync::{Mutex, MutexGuard, Notify},
};
use tracing::{debug, warn};

use super::{Postgres, session::Tx};
use crate::storage::{NewJob, Signals, StorageResult, Topic, signals::Effects, sql::pooled};

type Shared = pooled::Shared<Postgres>;

/// The least time between two notifications: each takes a lock that all commits of the database need.
const INTERVAL: Duration = Duration::from_millis(5);

/// The sender of what is told by transactions of the application's: nobody's own, so that it wakes the process that stored
/// the jobs too, which doesn't know when the transaction is committed.
const TRANSACTION: &str = "transaction";

/// How long to wait before the connection that listens is opened again.
const PAUSE: Duration = Duration::from_millis(500);

/// How long the connection that listens may hear nothing until it is asked whether it still is one, and how long it may
/// take to answer.
const SILENCE: Duration = Duration::from_secs(10);
const LIMIT: Duration = Duration::from_secs(5);

/// How long a notification of this process may be on its way back to it, before someone is told that it doesn't come.
const PATIENCE: Duration = Duration::from_secs(10);

/// Gathers what is to be told to other processes.
pub(super) struct Notifier {
    /// Whether other processes are told.
    tells: bool,
    /// How the connection that listens is made, if there is to be one.
    listens: Option<PgConnectOptions>,
    channel: String,
    /// Tells this process's notifications from those of others.
    sender: String,
    pending: AtomicU8,
    /// Held by who tells.
    telling: Mutex<()>,
    news: Notify,
    /// Whether a notification of this process came back to it, so that those of others come too: a connection pooler
    /// lets everybody listen, and nobody hear.
    hears: AtomicBool,
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // How the connection that listens is made has a password.
        f.debug_struct("Notifier").field("channel", &self.channel).finish_non_exhaustive()
    }
}

impl Notifier {
    pub(super) fn new(schema: &str, tells: bool, listens: Option<PgConnectOptions>) -> Self {
        let sender = format!("{:08x}", fastrand::u32(..));
        let channel = format!("jobs_{schema}");
        let (pending, telling) = (AtomicU8::new(0), Mutex::new(()));
        let (news, hears) = (Notify::new(), AtomicBool::new(false));
        Self { tells, listens, channel, sender, pending, telling, news, hears }
    }

    /// Whether what others store is heard of.
    pub(super) fn hears(&self) -> bool {
        self.hears.load(Ordering::Relaxed)
    }

    /// Will tell the others soon.
    pub(super) fn notify(&self, effects: Effects) {
        let bits = bits(effects);
        if self.tells && bits != 0 {
            self.pending.fetch_or(bits, Ordering::Relaxed);
            self.news.notify_one();
        }
    }
}

/// What is told to everyone, this process included, when a transaction of the application's is committed.
pub(super) struct Told {
    pub(super) channel: String,
    pub(super) text: String,
}

/// What new jobs tell that are stored in a transaction of the application's, by the statement that stores them.
pub(super) fn tell_in(tx: &mut Tx<'_>, jobs: &[&NewJob]) -> Option<Told> {
    let notifier = &tx.shared.driver.notifier;
    let mut effects = Effects::default();
    jobs.iter().for_each(|job| effects.entered(job.initial.name()));
    let bits = bits(effects);
    if !tx.is_app || !notifier.tells || bits == 0 {
        return None;
    }
    tx.told = Some(i64::from(bits));
    Some(Told { channel: notifier.channel.clone(), text: format!("{TRANSACTION} {bits}") })
}

/// Tells of what else was brought about. It leaves no prepared statement behind.
pub(super) async fn announce_in(tx: &mut Tx<'_>) -> StorageResult<()> {
    let (notifier, bits) = (&tx.shared.driver.notifier, bits(tx.effects));
    if !notifier.tells || i64::from(bits) & !tx.told.unwrap_or_default() == 0 {
        return Ok(());
    }
    let notify = format!("NOTIFY {}, '{TRANSACTION} {bits}'", notifier.channel);
    let notified = sqlx::raw_sql(AssertSqlSafe(notify)).execute(&mut *tx.connection).await;
    notified.map(drop).map_err(|error| tx.shared.failed(error))
}

/// Starts to tell and to listen, for as long as there is the storage.
pub(super) fn start(thread: &Handle, shared: &Arc<Shared>) {
    let notifier = &shared.driver.notifier;
    if notifier.tells {
        shared.beside(thread, tell(Arc::downgrade(shared)));
    }
    if let Some(connect) = notifier.listens.clone() {
        shared.beside(thread, listen(Arc::downgrade(shared), connect, notifier.channel.clone()));
    }
}

/// The first of many commits is told at once, those that follow together.
async fn tell(shared: Weak<Shared>) {
    while let Some(shared) = shared.upgrade() {
        let news = &shared.driver.notifier.news;
        // Now and then it lets go of the storage, so that this can end.
        if tokio::time::timeout(Duration::from_secs(1), news.notified()).await.is_err() {
            continue;
        }
        let telling = Telling::begin(&shared.driver.notifier).await;
        if let Err(error) = run(&shared, telling.statements()).await {
            debug!(%error, "other processes could not be notified; they poll");
        }
        telling.done();
        tokio::time::sleep(INTERVAL).await;
    }
}

/// What is being told. Who is interrupted leaves it to the next one.
struct Telling<'n> {
    notifier: &'n Notifier,
    bits: u8,
    _one_at_a_time: MutexGuard<'n, ()>,
}

impl<'n> Telling<'n> {
    async fn begin(notifier: &'n Notifier) -> Self {
        let one_at_a_time = notifier.telling.lock().await;
        Self { notifier, bits: notifier.pending.swap(0, Ordering::Relaxed), _one_at_a_time: one_at_a_time }
    }

    /// Nothing is lost with a notification, so the commit need not wait for the disk.
    fn statements(&self) -> String {
        let Notifier { channel, sender, .. } = self.notifier;
        let bits = self.bits;
        format!("BEGIN; SET LOCAL synchronous_commit = off; NOTIFY {channel}, '{sender} {bits}'; COMMIT")
    }

    fn done(mut self) {
        self.bits = 0;
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        self.notifier.pending.fetch_or(self.bits, Ordering::Relaxed);
    }
}

/// Tells what was not told when the storage was closed, on a connection of its own: the pool is closed.
pub(super) async fn tell_at_last(shared: &Shared) {
    let telling = Telling::begin(&shared.driver.notifier).await;
    if telling.bits == 0 {
        return;
    }
    let connect = shared.pool.connect_options();
    let told = async {
        let mut connection = connect.connect().await?;
        sqlx::raw_sql(AssertSqlSafe(telling.statements())).execute(&mut connection).await?;
        connection.close().await
    };
    if let Some(Err(error)) = shared.in_time(told).await {
        debug!(%error, "other processes could not be notified; they poll");
    }
    telling.done();
}

async fn run(shared: &Shared, text: String) -> StorageResult<()> {
    let mut connection = shared.acquire().await?;
    let done = shared.in_time(sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *connection)).await;
    shared.give_back(connection, done.map(|done| done.map(drop).map_err(|error| shared.failed(error))))
}

async fn listen(shared: Weak<Shared>, connect: PgConnectOptions, channel: String) {
    while shared.strong_count() > 0 {
        if let Err(error) = listen_until_lost(&shared, connect.clone(), &channel).await {
            debug!(%error, "the connection that listens is lost; it is opened again");
        }
        let Some(storage) = shared.upgrade() else { return };
        storage.driver.notifier.hears.store(false, Ordering::Relaxed);
        // Something may have been missed.
        storage.signals.notify_all();
        drop(storage);
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen_until_lost(shared: &Weak<Shared>, connect: PgConnectOptions, channel: &str) -> sqlx::Result<()> {
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(connect);
    let mut listener = in_time(PgListener::connect_with(&pool)).await?;
    in_time(listener.listen(channel)).await?;
    if let Some(storage) = shared.upgrade() {
        storage.signals.notify_all();
        // Tells nothing, which this process is to hear.
        storage.driver.notifier.news.notify_one();
        storage.beside(&Handle::current(), warn_if_deaf(shared.clone()));
    }
    loop {
        let heard = tokio::time::timeout(SILENCE, listener.try_recv()).await;
        let Ok(heard) = heard else {
            // Nobody may have said anything; or something on the way has forgotten the connection, and drops everything.
            in_time(listener.execute("SELECT 1")).await?;
            continue;
        };
        let Some(notification) = heard? else { break };
        let Some(storage) = shared.upgrade() else { break };
        let (sender, bits) = notification.payload().split_once(' ').unwrap_or_default();
        if sender == TRANSACTION || sender == "sql" {
            // It may have been open for long: its jobs stand before those that were claimed meanwhile.
            storage.driver.watermarks.forget();
        }
        if sender == storage.driver.notifier.sender {
            storage.driver.notifier.hears.store(true, Ordering::Relaxed);
        } else {
            announce(bits.parse().unwrap_or(u8::MAX), &storage.signals);
        }
    }
    Ok(())
}

/// Nothing that is asked of the connection that listens takes long.
async fn in_time<T>(asked: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(LIMIT, asked).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

async fn warn_if_deaf(shared: Weak<Shared>) {
    tokio::time::sleep(PATIENCE).await;
    let Some(storage) = shared.upgrade() else { return };
    if !storage.driver.notifier.hears() {
        warn!(
            storage = storage.url(),
            "no notification arrives at the connection that listens, so servers poll: if a connection pooler stands \
             before the database, set `pooler`, and `listen_url` to a URL that goes past it"
        );
    }
}

const TOPICS: [Topic; 5] = [Topic::Ready, Topic::Scheduled, Topic::Finished, Topic::Revoked, Topic::Recurring];

/// A bit for each topic.
fn bits(effects: Effects) -> u8 {
    let Effects { ready, scheduled, finished, revoked, recurring } = effects;
    let flags = [ready, scheduled, finished, revoked, recurring];
    flags.into_iter().enumerate().map(|(bit, flag)| u8::from(flag) << bit).sum()
}

fn announce(bits: u8, signals: &Signals) {
    for (bit, topic) in TOPICS.into_iter().enumerate() {
        if bits >> bit & 1 == 1 {
            signals.notify(topic);
        }
    }
}
