use std::ops::Bound;

use async_trait::async_trait;

use super::{
    MemoryStorage,
    tables::{Row, Tables},
};
use crate::{
    clock::Timestamp,
    job::{JobId, QueueName},
    schedule::ScheduleId,
    state::{State, StateName},
    storage::{
        Count, Counts, InvalidCursor, JobDetails, JobFilter, JobPage, JobSummary, Monitor, PageRequest, Period,
        QueueStatus, ServerStatus, Statistics, StorageResult, StoredSchedule, monitor::cursor,
    },
};

#[async_trait]
impl Monitor for MemoryStorage {
    async fn job(&self, id: JobId) -> StorageResult<Option<JobDetails>> {
        Ok(self.tables().jobs.get(&id).map(details))
    }

    async fn states(&self, ids: &[JobId]) -> StorageResult<Vec<(JobId, StateName)>> {
        let tables = self.tables();
        Ok(ids.iter().filter_map(|id| Some((*id, tables.jobs.get(id)?.state.name()))).collect())
    }

    async fn jobs(&self, filter: &JobFilter, page: &PageRequest) -> StorageResult<JobPage> {
        let tables = self.tables();
        let limit = page.bounded_limit();
        let mut matching =
            ordered(&tables, filter.state, page)?.map(|id| summary(&tables.jobs[id])).filter(|job| filter.matches(job));
        let jobs: Vec<JobSummary> = matching.by_ref().take(limit).collect();
        let more = matching.next().is_some();
        let next = jobs.last().filter(|_| more).map(|job| place(&tables.jobs[&job.id], filter.state));
        Ok(JobPage { jobs, next })
    }

    async fn counts(&self) -> StorageResult<Counts> {
        let tables = self.tables();
        let mut counts = Counts::default();
        for state in StateName::ALL {
            counts.set(state, Count::of(tables.index[state as usize].len() as u64, Count::CAP));
        }
        let enqueued = tables.ready.values().map(|ready| ready.len() as u64).sum();
        counts.set(StateName::Enqueued, Count::of(enqueued, Count::CAP));
        Ok(counts)
    }

    async fn queues(&self) -> StorageResult<Vec<QueueStatus>> {
        let tables = self.tables();
        let status = |(name, ready): (&QueueName, &std::collections::BTreeSet<_>)| QueueStatus {
            name: name.clone(),
            enqueued: Count::of(ready.len() as u64, Count::CAP),
        };
        Ok(tables.ready.iter().map(status).collect())
    }

    async fn servers(&self) -> StorageResult<Vec<ServerStatus>> {
        let tables = self.tables();
        let status = |(server, heartbeat_at): &(crate::storage::ServerRecord, Timestamp)| ServerStatus {
            server: server.clone(),
            heartbeat_at: *heartbeat_at,
            processing: Count::of(tables.held_by(&server.id).count() as u64, Count::CAP),
        };
        Ok(tables.servers.values().map(status).collect())
    }

    async fn statistics(&self, period: Period, from: Timestamp, until: Timestamp) -> StorageResult<Vec<Statistics>> {
        let tables = self.tables();
        // A range that ends before it begins would panic.
        let hours = tables.statistics.range(from.timestamp()..until.max(from).timestamp());
        Ok(Statistics::grouped(period, hours.map(|(hour, counters)| (*hour, *counters))))
    }

    async fn totals(&self) -> StorageResult<Statistics> {
        Ok(Statistics::sum(self.tables().statistics.values()))
    }

    async fn schedule(&self, id: &ScheduleId) -> StorageResult<Option<StoredSchedule>> {
        Ok(self.tables().schedules.get(id).cloned())
    }

    async fn schedules(&self, after: Option<&ScheduleId>, limit: usize) -> StorageResult<Vec<StoredSchedule>> {
        Ok(self.tables().find_schedules(after, limit))
    }
}

type Ids<'t> = Box<dyn Iterator<Item = &'t JobId> + 't>;

/// The ids of a list from where the page begins: of all jobs in a state, or of all jobs.
///
/// A page begins after a place in the list's order, not after a job: that one may have moved on since.
fn ordered<'t>(tables: &'t Tables, state: Option<StateName>, page: &PageRequest) -> Result<Ids<'t>, InvalidCursor> {
    Ok(match state {
        None => all(tables, page.cursor(state)?),
        Some(StateName::Enqueued) => waiting(tables, page.cursor(state)?),
        Some(other) => by_time(tables, other, page.cursor(state)?),
    })
}

fn all(tables: &Tables, after: Option<JobId>) -> Ids<'_> {
    let older = after.map_or(Bound::Unbounded, Bound::Excluded);
    Box::new(tables.jobs.range((Bound::Unbounded, older)).rev().map(|(id, _)| id))
}

fn waiting(tables: &Tables, after: Option<(QueueName, (i32, u64, JobId))>) -> Ids<'_> {
    let Some((queue, place)) = after else {
        return Box::new(tables.ready.values().flatten().map(|(_, _, id)| id));
    };
    let rest = tables
        .ready
        .get(&queue)
        .into_iter()
        .flat_map(move |ready| ready.range((Bound::Excluded(place), Bound::Unbounded)));
    let others = tables.ready.range((Bound::Excluded(queue), Bound::Unbounded)).flat_map(|(_, ready)| ready);
    Box::new(rest.chain(others).map(|(_, _, id)| id))
}

fn by_time(tables: &Tables, state: StateName, after: Option<(Timestamp, JobId)>) -> Ids<'_> {
    let (index, after) = (&tables.index[state as usize], after.map_or(Bound::Unbounded, Bound::Excluded));
    match state {
        StateName::Scheduled | StateName::Processing => {
            Box::new(index.range((after, Bound::Unbounded)).map(|(_, id)| id))
        }
        _ => Box::new(index.range((Bound::Unbounded, after)).rev().map(|(_, id)| id)),
    }
}

/// Where a job stands in a list, as a cursor.
fn place(row: &Row, state: Option<StateName>) -> String {
    match state {
        None => cursor(state, &row.job.id),
        Some(StateName::Enqueued) => cursor(state, &(&row.job.queue, row.place())),
        Some(_) => cursor(state, &(row.ordered_at(), row.job.id)),
    }
}

fn summary(row: &Row) -> JobSummary {
    let state = row.state.name();
    let running = matches!(state, StateName::Processing | StateName::Succeeded);
    JobSummary {
        id: row.job.id,
        name: row.job.invocation.name().clone(),
        arguments: row.job.invocation.arguments().to_owned(),
        queue: row.job.queue.clone(),
        priority: row.job.priority,
        state,
        state_at: row.state_at,
        created_at: row.job.created_at,
        attempts: row.spent + u32::from(running),
        recurrence: row.job.recurrence.clone(),
    }
}

fn details(row: &Row) -> JobDetails {
    JobDetails {
        job: summary(row),
        max_attempts: row.job.max_attempts,
        lost: row.lost,
        expires_at: row.expires_at,
        result: result(row),
        parameters: row.job.parameters.clone(),
        history: row.history.clone(),
    }
}

fn result(row: &Row) -> Option<String> {
    match &row.state {
        State::Succeeded(succeeded) => Some(succeeded.result.get().to_owned()),
        _ => None,
    }
}
