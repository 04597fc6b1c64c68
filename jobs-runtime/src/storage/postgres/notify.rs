//! Waking other processes, and being woken by them.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use sqlx::{
    AssertSqlSafe,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::{runtime::Handle, sync::Notify};
use tracing::debug;

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

/// Gathers what is to be told to other processes.
#[derive(Debug)]
pub(super) struct Notifier {
    /// How the connection that listens is made.
    connect: PgConnectOptions,
    channel: String,
    /// Tells this process's notifications from those of others.
    sender: String,
    pending: AtomicU8,
    news: Notify,
    is_on: bool,
}

impl Notifier {
    pub(super) fn new(schema: &str, connect: PgConnectOptions, is_on: bool) -> Self {
        let sender = format!("{:08x}", fastrand::u32(..));
        let channel = format!("jobs_{schema}");
        Self { connect, channel, sender, pending: AtomicU8::new(0), news: Notify::new(), is_on }
    }

    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    /// Will tell the others soon.
    pub(super) fn notify(&self, effects: Effects) {
        let bits = bits(effects);
        if self.is_on && bits != 0 {
            self.pending.fetch_or(bits, Ordering::Relaxed);
            self.news.notify_one();
        }
    }
}

/// Tells everyone, this process included, when the transaction is committed.
pub(super) async fn announce_in(tx: &mut Tx<'_>) -> StorageResult<()> {
    let (notifier, bits) = (&tx.shared.driver.notifier, bits(tx.effects));
    if !notifier.is_on || bits == 0 {
        return Ok(());
    }
    let notify = sqlx::query("SELECT pg_notify($1, $2)").bind(&notifier.channel).bind(format!("{TRANSACTION} {bits}"));
    let notified = notify.execute(&mut *tx.connection).await;
    notified.map(drop).map_err(|error| tx.shared.failed(error))
}

/// Starts to tell and to listen, for as long as there is the storage.
pub(super) fn start(thread: &Handle, shared: &Arc<Shared>) {
    if shared.driver.notifier.is_on {
        thread.spawn(tell(Arc::downgrade(shared)));
        thread.spawn(listen(Arc::downgrade(shared)));
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
        if let Err(error) = sqlx::raw_sql(AssertSqlSafe(text)).execute(&shared.pool).await {
            debug!(%error, "other processes could not be notified; they poll");
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn listen(shared: Weak<Shared>) {
    loop {
        let Some(storage) = shared.upgrade() else { return };
        let (connect, channel) = (storage.driver.notifier.connect.clone(), storage.driver.notifier.channel.clone());
        drop(storage);
        if let Err(error) = listen_until_lost(&shared, connect, &channel).await {
            debug!(%error, "the connection that listens is lost; it is opened again");
        }
        let Some(storage) = shared.upgrade() else { return };
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
    }
    while let Some(notification) = listener.try_recv().await? {
        let Some(storage) = shared.upgrade() else { break };
        let (sender, bits) = notification.payload().split_once(' ').unwrap_or_default();
        if sender == TRANSACTION {
            // It may have been open for long: its jobs stand before those that were claimed meanwhile.
            storage.driver.watermarks.forget();
        }
        if sender != storage.driver.notifier.sender {
            announce(bits.parse().unwrap_or(u8::MAX), &storage.signals);
        }
    }
    Ok(())
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
