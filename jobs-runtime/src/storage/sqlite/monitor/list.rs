use serde::{Deserialize, Serialize};
use sqlx::{QueryBuilder, Sqlite};

use super::details::summary;
use crate::{
    job::JobId,
    state::StateName,
    storage::{
        JobFilter, JobPage, PageRequest, StorageResult,
        monitor::cursor,
        sqlite::{SqliteStorage, rows::Reader, tx::micros},
    },
};

impl SqliteStorage {
    pub(super) async fn list(&self, filter: &JobFilter, page: &PageRequest) -> StorageResult<JobPage> {
        let list = List::of(filter.state);
        let limit = page.bounded_limit();
        let mut query = self.page_query(&list, filter, page)?;
        let readers = self.readers.clone();
        let rows = self.writer.read(async move { query.build().fetch_all(&readers).await }).await?;
        let jobs = rows.iter().take(limit).map(|row| summary(&self.reader(row))).collect::<StorageResult<Vec<_>>>()?;
        let last = rows.get(limit - 1).filter(|_| rows.len() > limit);
        let next = last.map(|row| list.key(&self.reader(row))).transpose()?;
        Ok(JobPage { jobs, next: next.map(|key| cursor(filter.state, &key)) })
    }

    /// The query of a page, and of one row more.
    pub(in crate::storage::sqlite) fn page_query(
        &self,
        list: &List,
        filter: &JobFilter,
        page: &PageRequest,
    ) -> StorageResult<QueryBuilder<Sqlite>> {
        let mut query = list.select(&self.shared.sql.expand(list.source, "", 0), &self.shared.options.table_prefix);
        if let Some(key) = page.cursor::<Key>(filter.state)?
            && !list.push_after(&mut query, key)
        {
            return Err(page.foreign_cursor().into());
        }
        push_filter(&mut query, filter);
        query.push(list.order).push(" LIMIT ").push_bind(page.bounded_limit() as i64 + 1);
        Ok(query)
    }
}

/// The list of one state: the narrow table that has it, in the order that this table's key gives.
pub(in crate::storage::sqlite) struct List {
    /// The rows `x`, joined to the bodies `j`.
    source: &'static str,
    /// The columns that order the list.
    key: &'static str,
    order: &'static str,
    comparison: &'static str,
}

/// What orders a list, of its last row.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Key {
    Place(String, i64, i64),
    Time(i64, JobId),
    Job(JobId),
}

const PLACE: &str = "(x.queue, x.rank, x.seq)";
const TIME: &str = "(x.at, x.job)";
const AWAITING: &str = "(x.job)";
const JOB: &str = "(j.id)";

impl List {
    pub(in crate::storage::sqlite) fn of(state: Option<StateName>) -> Self {
        let (newest_first, oldest_first) =
            ((" ORDER BY x.at DESC, x.job DESC", " < "), (" ORDER BY x.at, x.job", " > "));
        let (source, key, (order, comparison)) = match state {
            None => ("{p}job j", JOB, (" ORDER BY j.id DESC", " < ")),
            Some(StateName::Enqueued) => {
                ("{p}ready x CROSS JOIN {p}job j ON j.id = x.job", PLACE, (" ORDER BY x.queue, x.rank, x.seq", " > "))
            }
            Some(StateName::Scheduled) => ("{p}scheduled x CROSS JOIN {p}job j ON j.id = x.job", TIME, oldest_first),
            Some(StateName::Awaiting) => {
                ("{p}awaiting x CROSS JOIN {p}job j ON j.id = x.job", AWAITING, (" ORDER BY x.job DESC", " < "))
            }
            Some(StateName::Processing) => ("{p}processing x CROSS JOIN {p}job j ON j.id = x.job", TIME, oldest_first),
            Some(StateName::Succeeded) => ("{p}succeeded x CROSS JOIN {p}job j ON j.id = x.job", TIME, newest_first),
            Some(StateName::Failed) => ("{p}failed x CROSS JOIN {p}job j ON j.id = x.job", TIME, newest_first),
            Some(StateName::Deleted) => ("{p}deleted x CROSS JOIN {p}job j ON j.id = x.job", TIME, newest_first),
        };
        Self { source, key, order, comparison }
    }

    fn select(&self, source: &str, prefix: &str) -> QueryBuilder<Sqlite> {
        let key = match self.key {
            PLACE => "x.queue AS k1, x.rank AS k2, x.seq AS k3",
            TIME => "x.at AS k1",
            _ => "NULL AS k1",
        };
        QueryBuilder::new(format!(
            "SELECT j.*, COALESCE(s.claimed_at, p.at) AS claimed_at, s.at AS ended_at, {key}
             FROM {source}
             LEFT JOIN {prefix}processing p ON p.job = j.id
             LEFT JOIN {prefix}succeeded s ON s.job = j.id
             WHERE true"
        ))
    }

    /// Narrows the list to what comes after `key`, and returns whether that is a key of this list at all.
    fn push_after(&self, query: &mut QueryBuilder<Sqlite>, key: Key) -> bool {
        query.push(" AND ").push(self.key).push(self.comparison).push("(");
        match (self.key, key) {
            (PLACE, Key::Place(queue, rank, seq)) => {
                query.push_bind(queue).push(", ").push_bind(rank).push(", ").push_bind(seq);
            }
            (TIME, Key::Time(at, job)) => {
                query.push_bind(at).push(", ").push_bind(job.as_bytes().to_vec());
            }
            (JOB | AWAITING, Key::Job(job)) => {
                query.push_bind(job.as_bytes().to_vec());
            }
            _ => return false,
        }
        query.push(")");
        true
    }

    fn key(&self, row: &Reader<'_>) -> StorageResult<Key> {
        Ok(match self.key {
            PLACE => Key::Place(row.get("k1")?, row.get("k2")?, row.get("k3")?),
            TIME => Key::Time(row.get("k1")?, row.id("id")?),
            _ => Key::Job(row.id("id")?),
        })
    }
}

fn push_filter(query: &mut QueryBuilder<Sqlite>, filter: &JobFilter) {
    if let Some(queue) = &filter.queue {
        query.push(" AND j.queue = ").push_bind(queue.to_string());
    }
    if let Some(name) = &filter.name {
        query.push(" AND j.type = ").push_bind(name.type_name().to_owned());
        query.push(" AND j.method = ").push_bind(name.method().to_owned());
    }
    if let Some(schedule) = &filter.schedule {
        query.push(" AND j.schedule = ").push_bind(schedule.to_string());
    }
    if let Some(from) = filter.created_from {
        query.push(" AND j.created_at >= ").push_bind(micros(from));
    }
    if let Some(until) = filter.created_until {
        query.push(" AND j.created_at < ").push_bind(micros(until));
    }
}
