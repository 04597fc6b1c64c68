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
    AssertSqlSafe,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::{runtime::Handle, sync::Notify};
use tracing::{debug, warn};

use super::{Postgres, session::Tx};
use crate::storage::{Signals, StorageResult, Topic, signals::Effects, sql::pooled};

type Shared = pooled::Shared<Postgres>;

/// The least time between two notifications: each takes a lock that all commits of the database need.
const INTERVAL: Duration = Duration::from_millis(5);

/// The sender of what is told by transactions of the application's: nobody's own, so that it wakes the process that stored
/// the jobs too, which doesn't know when the transaction is committed.
const TRANSACTION: &str = "transaction";

/// How long to wait before the connection that listens is opened again.
const PAUSE: Duration = Duration::from_millis(500);

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
        let (pending, news, hears) = (AtomicU8::new(0), Notify::new(), AtomicBool::new(false));
        Self { tells, listens, channel, sender, pending, news, hears }
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

/// Tells everyone, this process included, when the transaction is committed.
pub(super) async fn announce_in(tx: &mut Tx<'_>) -> StorageResult<()> {
    let (notifier, bits) = (&tx.shared.driver.notifier, bits(tx.effects));
    if !notifier.tells || bits == 0 {
        return Ok(());
    }
    let notify = sqlx::query("SELECT pg_notify($1, $2)").bind(&notifier.channel).bind(format!("{TRANSACTION} {bits}"));
    let notified = notify.execute(&mut *tx.connection).await;
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
        let Notifier { channel, sender, pending, news, .. } = &shared.driver.notifier;
        // Now and then it lets go of the storage, so that this can end.
        if tokio::time::timeout(Duration::from_secs(1), news.notified()).await.is_err() {
            continue;
        }
        let bits = pending.swap(0, Ordering::Relaxed);
        // Nothing is lost with a notification, so the commit need not wait for the disk.
        let text = format!("BEGIN; SET LOCAL synchronous_commit = off; NOTIFY {channel}, '{sender} {bits}'; COMMIT");
        if let Err(error) = run(&shared, text).await {
            debug!(%error, "other processes could not be notified; they poll");
        }
        tokio::time::sleep(INTERVAL).await;
    }
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
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(channel).await?;
    if let Some(storage) = shared.upgrade() {
        storage.signals.notify_all();
        // Tells nothing, which this process is to hear.
        storage.driver.notifier.news.notify_one();
        storage.beside(&Handle::current(), warn_if_deaf(shared.clone()));
    }
    while let Some(notification) = listener.try_recv().await? {
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
