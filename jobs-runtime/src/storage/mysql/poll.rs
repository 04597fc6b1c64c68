use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use sqlx::{MySql as My, mysql::MySqlArguments, query::QueryScalar};
use tokio::{runtime::Handle, time::Instant};

use super::MySql;
use crate::storage::{StorageResult, sql::pooled};

pub(super) type Shared = pooled::Shared<MySql>;

/// How long to wait after the database could not be asked.
const PAUSE: Duration = Duration::from_secs(1);

/// How many tickets are looked for in one query by their numbers.
pub(super) const MOST: usize = 256;

/// How many new ones are looked at: if there are more, the last of them tell enough.
const NEWEST: usize = 1_024;

/// How long a gap is looked at.
const LONGEST: Duration = Duration::from_secs(60);

/// Which tickets are news: those that other processes took.
#[derive(Debug, Default)]
pub(super) struct Tickets(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// The newest ticket at the last look; none before the first.
    newest: Option<i64>,
    /// Those that this process took since then.
    own: HashSet<i64>,
    /// Older ones of others that were not there: their transactions may be committed yet. And since when they are known.
    gaps: BTreeMap<i64, Instant>,
}

impl Tickets {
    /// Notes a ticket of this process.
    pub(super) fn take(&self, ticket: i64) {
        self.seen().own.insert(ticket);
    }

    /// After which ticket to look, and which older ones to look for.
    fn wanted(&self) -> (i64, Vec<i64>) {
        let seen = self.seen();
        (seen.newest.unwrap_or(0), seen.gaps.keys().copied().collect())
    }

    /// Notes the tickets that were found; returns whether some are news. The first look only finds what there is.
    fn look(&self, found: &[i64]) -> bool {
        let mut seen = self.seen();
        let before = seen.newest.unwrap_or(0);
        let newest = found.iter().copied().fold(before, i64::max);
        let is_news = seen.newest.is_some() && found.iter().any(|ticket| !seen.own.contains(ticket));
        let (now, found) = (Instant::now(), found.iter().copied().collect::<HashSet<i64>>());
        let first = (before + 1).max(newest - NEWEST as i64);
        let missing: Vec<i64> =
            (first..newest).filter(|ticket| !found.contains(ticket) && !seen.own.contains(ticket)).collect();
        seen.gaps.extend(missing.into_iter().map(|ticket| (ticket, now)));
        seen.gaps.retain(|ticket, since| !found.contains(ticket) && since.elapsed() < LONGEST);
        while seen.gaps.len() > MOST {
            seen.gaps.pop_first();
        }
        seen.own.retain(|ticket| *ticket > newest);
        seen.newest = Some(newest);
        is_news
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
            let pause = match look(&storage).await {
                Ok(()) => interval,
                Err(_) => PAUSE.max(interval),
            };
            drop(storage);
            tokio::time::sleep(pause).await;
        }
    });
}

async fn look(storage: &Shared) -> StorageResult<()> {
    const NEW: &str = "SELECT id FROM {p}ticket WHERE id > ? ORDER BY id DESC LIMIT ?";
    let tickets = &storage.driver.tickets;
    let (newest, gaps) = tickets.wanted();
    let mut found = there(storage, &gaps).await?;
    found.extend(fetch(storage, sqlx::query_scalar(storage.sql.get(NEW)).bind(newest).bind(NEWEST as i64)).await?);
    if tickets.look(&found) {
        storage.signals.notify_all();
    }
    Ok(())
}

/// The newest ticket there is.
pub(super) async fn newest(storage: &Shared) -> StorageResult<i64> {
    let select = storage.sql.get("SELECT COALESCE(MAX(id), 0) FROM {p}ticket");
    Ok(fetch(storage, sqlx::query_scalar(select)).await?.pop().unwrap_or_default())
}

/// Those of the tickets, up to [`MOST`], whose transactions are committed.
pub(super) async fn there(storage: &Shared, tickets: &[i64]) -> StorageResult<Vec<i64>> {
    let Some(first) = tickets.first() else { return Ok(Vec::new()) };
    let size = [1, 16, MOST].into_iter().find(|size| *size >= tickets.len()).unwrap_or(MOST);
    let select = storage.sql.with_rows("SELECT id FROM {p}ticket WHERE id IN ({values})", "?", size);
    // What is left of the room is filled with the first one.
    let filled = tickets.iter().chain(std::iter::repeat(first)).take(size);
    fetch(storage, filled.fold(sqlx::query_scalar(select), |query, ticket| query.bind(*ticket))).await
}

async fn fetch(storage: &Shared, query: QueryScalar<'static, My, i64, MySqlArguments>) -> StorageResult<Vec<i64>> {
    let mut connection = storage.acquire().await?;
    let tickets = storage.in_time(query.fetch_all(&mut *connection)).await;
    storage.give_back(connection, tickets.map(|tickets| tickets.map_err(|error| storage.failed(error))))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::{LONGEST, MOST, Tickets};

    fn looked(newest: i64) -> Tickets {
        let tickets = Tickets::default();
        let there: Vec<i64> = (1..=newest).rev().collect();
        assert!(!tickets.look(&there), "the first look finds what there is");
        assert_eq!(tickets.wanted(), (newest, Vec::new()));
        tickets
    }

    fn gaps(tickets: &Tickets) -> Vec<i64> {
        tickets.wanted().1
    }

    #[tokio::test(start_paused = true)]
    async fn only_tickets_of_others_are_news() {
        let tickets = looked(7);
        tickets.take(8);
        tickets.take(9);
        assert!(!tickets.look(&[9, 8]));
        tickets.take(11);
        assert!(tickets.look(&[11, 10]), "someone took number 10");
        tickets.take(13);
        assert!(tickets.look(&[12]), "someone took number 12, and 13 is not committed yet");
        assert!(!tickets.look(&[13]));
        assert_eq!(tickets.wanted(), (13, Vec::new()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_ticket_that_comes_after_newer_ones_is_news() {
        let tickets = looked(7);
        tickets.take(9);
        assert!(tickets.look(&[11, 10]));
        assert_eq!(gaps(&tickets), [8], "number 9 is this process's own");
        assert!(!tickets.look(&[]));
        assert!(tickets.look(&[8]));
        assert!(gaps(&tickets).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn gaps_are_looked_at_for_a_while_and_not_more_than_fit_into_a_query() {
        let tickets = looked(7);
        tickets.look(&[9]);
        advance(LONGEST / 2).await;
        tickets.look(&[11]);
        assert_eq!(gaps(&tickets), [8, 10]);
        advance(LONGEST / 2 + Duration::from_secs(1)).await;
        assert!(!tickets.look(&[]));
        assert_eq!(gaps(&tickets), [10]);
        tickets.look(&[1_000_000]);
        assert_eq!((gaps(&tickets).len(), gaps(&tickets)[MOST - 1]), (MOST, 999_999));
    }
}
