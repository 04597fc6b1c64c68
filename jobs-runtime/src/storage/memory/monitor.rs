use async_trait::async_trait;

use super::{
    MemoryStorage,
    tables::{Row, Tables},
};
use crate::{
    clock::Timestamp,
    job::JobId,
    state::{State, StateName},
    storage::{
        Count, Counts, JobDetails, JobFilter, JobPage, JobSummary, Monitor, PageRequest, Period, QueueStatus,
        ServerStatus, Statistics, StorageResult, monitor::cursor,
    },
};

#[async_trait]
impl Monitor for MemoryStorage {
    async fn job(&self, id: JobId) -> StorageResult<Option<JobDetails>> {
        Ok(self.tables().jobs.get(&id).map(details))
    }

    async fn jobs(&self, filter: &JobFilter, page: &PageRequest) -> StorageResult<JobPage> {
        let after: Option<JobId> = page.cursor()?;
        let limit = page.bounded_limit();
        let tables = self.tables();
        let mut matching = ordered(&tables, filter.state)
            .skip_while(|id| after.is_some_and(|after| *id != after))
            .skip(usize::from(after.is_some()))
            .map(|id| summary(&tables.jobs[&id]))
            .filter(|job| filter.matches(job));
        let jobs: Vec<JobSummary> = matching.by_ref().take(limit).collect();
        let more = matching.next().is_some();
        let next = jobs.last().filter(|_| more).map(|job| cursor(&job.id));
        Ok(JobPage { jobs, next })
    }

    async fn counts(&self) -> StorageResult<Counts> {
        let tables = self.tables();
        let mut counts = Counts::default();
        for state in StateName::ALL {
            counts.set(state, tables.index[state as usize].len() as u64);
        }
        counts.set(StateName::Enqueued, tables.ready.values().map(|ready| ready.len() as u64).sum());
        Ok(counts)
    }

    async fn queues(&self) -> StorageResult<Vec<QueueStatus>> {
        let tables = self.tables();
        let status = |(name, ready): (&crate::job::QueueName, &std::collections::BTreeSet<_>)| QueueStatus {
            name: name.clone(),
            enqueued: Count::of(ready.len() as u64),
        };
        Ok(tables.ready.iter().map(status).collect())
    }

    async fn servers(&self) -> StorageResult<Vec<ServerStatus>> {
        let tables = self.tables();
        let status = |(server, heartbeat_at): &(crate::storage::ServerRecord, Timestamp)| ServerStatus {
            server: server.clone(),
            heartbeat_at: *heartbeat_at,
            processing: Count::of(tables.held_by(&server.id).count() as u64),
        };
        Ok(tables.servers.values().map(status).collect())
    }

    async fn statistics(&self, period: Period, from: Timestamp, until: Timestamp) -> StorageResult<Vec<Statistics>> {
        let tables = self.tables();
        let hours = tables.statistics.range(from.timestamp()..until.timestamp());
        Ok(Statistics::grouped(period, hours.map(|(hour, counters)| (*hour, *counters))))
    }

    async fn totals(&self) -> StorageResult<Statistics> {
        Ok(Statistics::sum(self.tables().statistics.values()))
    }
}

/// The ids of all jobs in a state in the order of its list, or of all jobs.
fn ordered(tables: &Tables, state: Option<StateName>) -> Box<dyn Iterator<Item = JobId> + '_> {
    match state {
        None => Box::new(tables.jobs.keys().rev().copied()),
        Some(StateName::Enqueued) => Box::new(tables.ready.values().flatten().map(|(_, _, id)| *id)),
        Some(state @ (StateName::Scheduled | StateName::Processing)) => {
            Box::new(tables.index[state as usize].iter().map(|(_, id)| *id))
        }
        Some(state) => Box::new(tables.index[state as usize].iter().rev().map(|(_, id)| *id)),
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
    }
}

fn details(row: &Row) -> JobDetails {
    JobDetails {
        job: summary(row),
        max_attempts: row.job.max_attempts,
        lost: row.lost,
        expires_at: row.expires_at,
        result: result(row),
        history: row.history.clone(),
    }
}

fn result(row: &Row) -> Option<String> {
    match &row.state {
        State::Succeeded(succeeded) => Some(succeeded.result.get().to_owned()),
        _ => None,
    }
}
