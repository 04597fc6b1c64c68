//! The read side.

mod details;
mod list;
mod states;

#[cfg(test)]
pub(crate) use self::list::List;
pub(crate) use self::{details::FindJob, list::ListJobs, states::FindStates};
use super::{
    rows::Reader,
    session::{Columns, Query, Session, params, read},
};
use crate::{
    clock::Timestamp,
    job::QueueName,
    state::StateName,
    storage::{Count, Counts, Period, QueueStatus, ServerId, ServerRecord, ServerStatus, Statistics, StorageResult},
};

/// How many jobs are in each state, counted up to a cap.
pub(crate) struct CountJobs {
    pub(crate) cap: u64,
}

impl Query for CountJobs {
    type Answer = Counts;

    async fn run<S: Session>(&self, session: &mut S) -> StorageResult<Counts> {
        const COUNT: &str = "
            SELECT 'enqueued' AS state, (SELECT count(*) FROM (SELECT 1 FROM {p}ready LIMIT ?) t) AS counted
            UNION ALL SELECT 'scheduled', (SELECT count(*) FROM (SELECT 1 FROM {p}scheduled LIMIT ?) t)
            UNION ALL SELECT 'awaiting', (SELECT count(*) FROM (SELECT 1 FROM {p}awaiting LIMIT ?) t)
            UNION ALL SELECT 'processing', (SELECT count(*) FROM (SELECT 1 FROM {p}processing LIMIT ?) t)
            UNION ALL SELECT 'succeeded', (SELECT count(*) FROM (SELECT 1 FROM {p}succeeded LIMIT ?) t)
            UNION ALL SELECT 'failed', (SELECT count(*) FROM (SELECT 1 FROM {p}failed LIMIT ?) t)
            UNION ALL SELECT 'deleted', (SELECT count(*) FROM (SELECT 1 FROM {p}deleted LIMIT ?) t)";
        let rows = session.fetch(COUNT, (0..7).map(|_| beyond(self.cap).into()).collect()).await?;
        let mut counts = Counts::default();
        for (state, counted) in read(session, &rows, |row| Ok((row.state("state")?, count(row)?)))? {
            counts.set(state, Count::of(counted, self.cap));
        }
        Ok(counts)
    }
}

/// The queues that have jobs waiting, counted up to a cap.
pub(crate) struct ListQueues {
    pub(crate) cap: u64,
}

impl Query for ListQueues {
    type Answer = Vec<QueueStatus>;

    async fn run<S: Session>(&self, session: &mut S) -> StorageResult<Vec<QueueStatus>> {
        // From queue to queue in the index, instead of reading all of it.
        const NEXT: &str = "SELECT queue FROM {p}ready WHERE queue > ? ORDER BY queue LIMIT 1";
        const COUNT: &str = "SELECT count(*) AS counted FROM (SELECT 1 FROM {p}ready WHERE queue = ? LIMIT ?) t";
        let mut queues: Vec<QueueStatus> = Vec::new();
        loop {
            let last = queues.last().map_or("", |queue| queue.name.as_str());
            let rows = session.fetch(NEXT, params![last]).await?;
            let Some(name) = read(session, &rows, |row| row.text("queue"))?.pop() else { break };
            let rows = session.fetch(COUNT, params![name.as_str(), beyond(self.cap)]).await?;
            let counted = read(session, &rows, count)?.pop().unwrap_or_default();
            queues.push(QueueStatus { name: QueueName::stored(name), enqueued: Count::of(counted, self.cap) });
        }
        Ok(queues)
    }
}

/// The servers that are running.
pub(crate) struct ListServers;

impl Query for ListServers {
    type Answer = Vec<ServerStatus>;

    async fn run<S: Session>(&self, session: &mut S) -> StorageResult<Vec<ServerStatus>> {
        const SELECT: &str = "
            SELECT server.*, (SELECT count(*) FROM {p}processing p WHERE p.server = server.id) AS counted
            FROM {p}server server
            ORDER BY server.id";
        let rows = session.fetch(SELECT, params![]).await?;
        read(session, &rows, server)
    }
}

/// What was finished per span.
pub(crate) struct FindStatistics {
    pub(crate) period: Period,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

impl Query for FindStatistics {
    type Answer = Vec<Statistics>;

    async fn run<S: Session>(&self, session: &mut S) -> StorageResult<Vec<Statistics>> {
        let select = "SELECT * FROM {p}statistics WHERE hour >= ? AND hour < ? ORDER BY hour";
        let rows = session.fetch(select, params![self.from.timestamp(), self.until.timestamp()]).await?;
        Ok(Statistics::grouped(self.period, read(session, &rows, statistics)?))
    }
}

/// What was finished in all.
pub(crate) struct FindTotals;

impl Query for FindTotals {
    type Answer = Statistics;

    async fn run<S: Session>(&self, session: &mut S) -> StorageResult<Statistics> {
        const SELECT: &str = "
            SELECT COALESCE(min(hour), 0) AS hour, CAST(COALESCE(sum(succeeded), 0) AS {integer}) AS succeeded,
                   CAST(COALESCE(sum(failed), 0) AS {integer}) AS failed,
                   CAST(COALESCE(sum(deleted), 0) AS {integer}) AS deleted
            FROM {p}statistics";
        let rows = session.fetch(SELECT, params![]).await?;
        let total = read(session, &rows, statistics)?.pop();
        Ok(total.map(|(_, total)| total).unwrap_or_default())
    }
}

/// One more than is counted.
fn beyond(cap: u64) -> i64 {
    i64::try_from(cap.saturating_add(1)).unwrap_or(i64::MAX)
}

fn count<R: Columns>(row: &Reader<'_, R>) -> StorageResult<u64> {
    Ok(u64::from(row.number("counted")?))
}

fn server<R: Columns>(row: &Reader<'_, R>) -> StorageResult<ServerStatus> {
    let server = ServerRecord {
        id: ServerId::new(row.text("id")?),
        started_at: row.time("started_at")?,
        queues: row.json("queues")?,
        workers: row.number("workers")? as usize,
    };
    Ok(ServerStatus { server, heartbeat_at: row.time("heartbeat_at")?, processing: Count::of(count(row)?, Count::CAP) })
}

fn statistics<R: Columns>(row: &Reader<'_, R>) -> StorageResult<(i64, Statistics)> {
    let number = |column| row.int(column).map(|number| u64::try_from(number).unwrap_or(0));
    let hour = row.int("hour")?;
    let from = Timestamp::from_timestamp(hour, 0).unwrap_or_default();
    let (succeeded, failed, deleted) = (number("succeeded")?, number("failed")?, number("deleted")?);
    Ok((hour, Statistics { from, succeeded, failed, deleted }))
}

/// The time since which a job is in the state it is in, and that state, from the
/// columns `state` and `state_at` of the job, `claimed_at` of its run and `ended_at` of its success.
fn state<R: Columns>(row: &Reader<'_, R>) -> StorageResult<(StateName, Timestamp)> {
    if let Some(at) = row.optional_time("ended_at")? {
        return Ok((StateName::Succeeded, at));
    }
    match row.optional_time("claimed_at")? {
        Some(at) => Ok((StateName::Processing, at)),
        None => Ok((row.state("state")?, row.time("state_at")?)),
    }
}
