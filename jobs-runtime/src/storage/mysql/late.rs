//! Transactions of the application's: when they are committed, who waits for their jobs is to be woken.
//!
//! Nobody is told of that, but the ticket that was taken in the transaction is there then. Other processes look for the
//! newest ticket, and if they have seen a newer one before, they would not notice this one: so another one is taken.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{runtime::Handle, sync::Notify, time::Instant};
use tracing::debug;

use super::{
    MySql,
    poll::{self, MOST, Shared},
    session::Tx,
};
use crate::storage::{StorageResult, signals::Effects, sql::pooled::Work};

/// How long after it was taken a ticket is looked for the first time. Then it is each time when it has become twice as old,
/// but not less often than polls are made; and when it is old, whenever it has become an eighth older.
const FIRST: Duration = Duration::from_millis(2);
const EIGHTH: u32 = 8;

/// How long a ticket is looked for. What is committed later is found by the servers' safety poll.
const LONGEST: Duration = Duration::from_secs(60);

/// The tickets that were taken in transactions of the application's.
#[derive(Debug, Default)]
pub(super) struct Late {
    awaited: Mutex<Vec<Awaited>>,
    news: Notify,
}

/// A ticket that is there when its transaction is committed.
#[derive(Clone, Copy, Debug)]
struct Awaited {
    ticket: i64,
    effects: Effects,
    taken: Instant,
    next: Instant,
}

impl Late {
    /// Wakes those whom it concerns when the ticket is there.
    pub(super) fn watch(&self, ticket: i64, effects: Effects) {
        if effects != Effects::default() {
            let taken = Instant::now();
            self.awaited().push(Awaited { ticket, effects, taken, next: taken + FIRST });
            self.news.notify_one();
        }
    }

    fn next_look(&self) -> Option<Instant> {
        self.awaited().iter().map(|awaited| awaited.next).min()
    }

    /// Those whose time to be looked for has come.
    fn due(&self, poll: Duration) -> Vec<Awaited> {
        let now = Instant::now();
        let mut list = self.awaited();
        list.retain(|awaited| now.duration_since(awaited.taken) < LONGEST);
        let due = list.iter_mut().filter(|awaited| awaited.next <= now).take(MOST);
        due.map(|awaited| {
            let age = now.duration_since(awaited.taken);
            awaited.next = now + age.min(poll.max(age / EIGHTH)).max(FIRST);
            *awaited
        })
        .collect()
    }

    fn forget(&self, tickets: &[i64]) {
        self.awaited().retain(|awaited| !tickets.contains(&awaited.ticket));
    }

    fn awaited(&self) -> MutexGuard<'_, Vec<Awaited>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts to look for late tickets, for as long as there is the storage.
pub(super) fn start(thread: &Handle, shared: &Arc<Shared>) {
    shared.beside(thread, watch(Arc::downgrade(shared)));
}

async fn watch(shared: Weak<Shared>) {
    while let Some(storage) = shared.upgrade() {
        let late = &storage.driver.late;
        // Now and then it lets go of the storage, so that this can end.
        let next = late.next_look().unwrap_or_else(|| Instant::now() + Duration::from_secs(1));
        if tokio::time::timeout_at(next, late.news.notified()).await.is_err()
            && let Err(error) = look(&storage).await
        {
            debug!(%error, "tickets of transactions could not be looked for; they are looked for again");
        }
    }
}

async fn look(storage: &Shared) -> StorageResult<()> {
    let late = &storage.driver.late;
    let due = late.due(storage.common.intervals.queue_poll);
    if due.is_empty() {
        return Ok(());
    }
    let tickets: Vec<i64> = due.iter().map(|awaited| awaited.ticket).collect();
    let there = poll::there(storage, &tickets).await?;
    for awaited in due.iter().filter(|awaited| there.contains(&awaited.ticket)) {
        awaited.effects.announce(&storage.signals);
    }
    let newest = if there.is_empty() { 0 } else { poll::newest(storage).await? };
    if there.iter().any(|ticket| *ticket < newest) {
        storage.run(&News).await?;
    }
    // Not before all are told: after an error it is done again.
    late.forget(&there);
    Ok(())
}

/// Takes another ticket.
struct News;

impl Work<MySql> for News {
    type Answer = ();

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<()> {
        tx.ticket().await.map(drop)
    }
}

/// Sees to it that who waits for what was stored is woken when the transaction is committed.
pub(super) async fn announce_in(tx: &mut Tx<'_>) -> StorageResult<()> {
    let ticket = match tx.told {
        Some(ticket) => ticket,
        None => tx.ticket().await?,
    };
    tx.shared.driver.late.watch(ticket, tx.effects);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, advance};

    use super::{LONGEST, Late};
    use crate::storage::signals::Effects;

    const POLL: Duration = Duration::from_millis(200);
    const READY: Effects = Effects { ready: true, scheduled: false, finished: false, revoked: false, recurring: false };

    #[tokio::test(start_paused = true)]
    async fn a_ticket_is_looked_for_at_once_then_as_often_as_polls_are_made_then_less_often() {
        let late = Late::default();
        let began = Instant::now();
        late.watch(7, READY);
        late.watch(8, Effects::default());
        let mut looks = Vec::new();
        while let Some(next) = late.next_look() {
            advance(next - Instant::now()).await;
            if late.due(POLL).iter().any(|awaited| awaited.ticket == 7) {
                looks.push((Instant::now() - began).as_millis());
            }
        }
        assert_eq!(looks[..8], [2, 4, 8, 16, 32, 64, 128, 256]);
        assert_eq!(looks[8..10], [456, 656]);
        let pauses: Vec<u128> = looks.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(pauses.iter().max() > Some(&5_000) && looks.len() < 60, "{looks:?}");
        assert!(looks.last() < Some(&LONGEST.as_millis()), "what is committed later, servers find by themselves");
    }

    #[tokio::test(start_paused = true)]
    async fn a_ticket_that_was_found_is_not_looked_for_again() {
        let late = Late::default();
        (1..=300).for_each(|ticket| late.watch(ticket, READY));
        advance(Duration::from_millis(2)).await;
        let due: Vec<i64> = late.due(POLL).iter().map(|awaited| awaited.ticket).collect();
        assert_eq!(due, (1..=256).collect::<Vec<i64>>(), "as many as fit into a query");
        late.forget(&due);
        let rest: Vec<i64> = late.due(POLL).iter().map(|awaited| awaited.ticket).collect();
        assert_eq!(rest, (257..=300).collect::<Vec<i64>>());
        late.forget(&rest);
        assert!(late.next_look().is_none());
    }
}
