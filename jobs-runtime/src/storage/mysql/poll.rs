use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::runtime::Handle;

use super::MySql;
use crate::storage::{StorageResult, sql::pooled};

pub(super) type Shared = pooled::Shared<MySql>;

/// How long to wait after the database could not be asked.
const PAUSE: Duration = Duration::from_secs(1);

/// Which tickets are news: those that other processes took.
#[derive(Debug, Default)]
pub(super) struct Tickets(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// The newest ticket at the last look; none before the first.
    newest: Option<i64>,
    /// How many this process took since then, of those that are newer.
    own: Vec<i64>,
}

impl Tickets {
    /// Notes a ticket of this process.
    pub(super) fn take(&self, ticket: i64) {
        self.seen().own.push(ticket);
    }

    /// Notes the newest ticket; returns whether others took some since the last look.
    fn look(&self, newest: i64) -> bool {
        let mut seen = self.seen();
        let before = seen.newest.replace(newest);
        let own = seen.own.iter().filter(|ticket| before.is_some_and(|before| **ticket > before) && **ticket <= newest);
        let own = own.count() as i64;
        seen.own.retain(|ticket| *ticket > newest);
        before.is_some_and(|before| newest - before != own)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks for tickets that other processes took, for as long as there is the storage: each that wrote something took one.
pub(super) fn start(thread: &Handle, shared: &Arc<Shared>) {
    let weak: Weak<Shared> = Arc::downgrade(shared);
    shared.beside(thread, async move {
        while let Some(storage) = weak.upgrade() {
            let interval = storage.common.intervals.queue_poll;
            let pause = match newest(&storage).await {
                Ok(newest) => {
                    if storage.driver.tickets.look(newest) {
                        storage.signals.notify_all();
                    }
                    interval
                }
                Err(_) => PAUSE.max(interval),
            };
            drop(storage);
            tokio::time::sleep(pause).await;
        }
    });
}

pub(super) async fn newest(storage: &Shared) -> StorageResult<i64> {
    let select = storage.sql.get("SELECT COALESCE(MAX(id), 0) FROM {p}ticket");
    let mut connection = storage.acquire().await?;
    let newest = storage.in_time(sqlx::query_scalar(select).fetch_one(&mut *connection)).await;
    storage.give_back(connection, newest.map(|newest| newest.map_err(|error| storage.failed(error))))
}

#[cfg(test)]
mod tests {
    use super::Tickets;

    #[test]
    fn only_tickets_of_others_are_news() {
        let tickets = Tickets::default();
        assert!(!tickets.look(7), "the first look finds what there is");
        tickets.take(8);
        tickets.take(9);
        assert!(!tickets.look(9));
        tickets.take(11);
        assert!(tickets.look(11), "someone took number 10");
        tickets.take(13);
        assert!(tickets.look(12), "someone took number 12, and 13 is not committed yet");
        assert!(!tickets.look(13));
    }
}
