use serde::{Deserialize, Serialize};

use super::details::summary;
use crate::{
    job::JobId,
    state::StateName,
    storage::{
        JobFilter, JobPage, PageRequest, StorageResult,
        monitor::cursor,
        sql::{
            rows::Reader,
            session::{Columns, Param, Query, Session, read},
        },
    },
};

/// One page of a list of jobs.
pub(crate) struct ListJobs {
    pub(crate) filter: JobFilter,
    pub(crate) page: PageRequest,
}

impl Query for ListJobs {
    type Answer = JobPage;

    async fn run<S: Session>(&self, session: &mut S) -> StorageResult<JobPage> {
        let list = List::of(self.filter.state);
        let (text, params) = self.text(&list)?;
        let rows = session.fetch_text(text, params).await?;
        let limit = self.page.bounded_limit();
        let mut jobs = read(session, &rows, |row| Ok((summary(row)?, list.key(row)?)))?;
        let more = jobs.len() > limit;
        jobs.truncate(limit);
        let next = jobs.last().filter(|_| more).map(|(_, key)| cursor(self.filter.state, key));
        Ok(JobPage { jobs: jobs.into_iter().map(|(job, _)| job).collect(), next })
    }
}

impl ListJobs {
    /// The query of the page, and of one row more.
    pub(crate) fn text(&self, list: &List) -> StorageResult<(String, Vec<Param>)> {
        let (mut text, mut params) = (list.select(), Vec::new());
        if let Some(key) = self.page.cursor::<Key>(self.filter.state)?
            && !list.push_after(&mut text, &mut params, key)
        {
            return Err(self.page.foreign_cursor().into());
        }
        push_filter(&mut text, &mut params, &self.filter);
        text += list.order;
        text += " LIMIT ?";
        params.push((self.page.bounded_limit() + 1).into());
        Ok((text, params))
    }
}

/// The list of one state: the narrow table that has it, in the order that this table's key gives.
pub(crate) struct List {
    /// The rows `x`, joined to the bodies `j`.
    source: &'static str,
    key: KeyKind,
    order: &'static str,
    /// Later in the list is larger.
    rising: bool,
}

/// What orders a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyKind {
    Place,
    Time,
    Awaiting,
    Job,
}

/// What orders a list, of its last row.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Key {
    Place(String, i64, i64),
    Time(i64, JobId),
    Job(JobId),
}

impl List {
    pub(crate) fn of(state: Option<StateName>) -> Self {
        let by_time = |source, newest_first| {
            let order = if newest_first { " ORDER BY x.at DESC, x.job DESC" } else { " ORDER BY x.at, x.job" };
            Self { source, key: KeyKind::Time, order, rising: !newest_first }
        };
        match state {
            None => Self { source: "{p}job j", key: KeyKind::Job, order: " ORDER BY j.id DESC", rising: false },
            Some(StateName::Enqueued) => {
                let order = " ORDER BY x.queue, x.{rank}, x.seq";
                Self { source: "{p}ready x {join} {p}job j ON j.id = x.job", key: KeyKind::Place, order, rising: true }
            }
            Some(StateName::Awaiting) => {
                let order = " ORDER BY x.job DESC";
                let source = "{p}awaiting x {join} {p}job j ON j.id = x.job";
                Self { source, key: KeyKind::Awaiting, order, rising: false }
            }
            Some(StateName::Scheduled) => by_time("{p}scheduled x {join} {p}job j ON j.id = x.job", false),
            Some(StateName::Processing) => by_time("{p}processing x {join} {p}job j ON j.id = x.job", false),
            Some(StateName::Succeeded) => by_time("{p}succeeded x {join} {p}job j ON j.id = x.job", true),
            Some(StateName::Failed) => by_time("{p}failed x {join} {p}job j ON j.id = x.job", true),
            Some(StateName::Deleted) => by_time("{p}deleted x {join} {p}job j ON j.id = x.job", true),
        }
    }

    fn select(&self) -> String {
        let key = match self.key {
            KeyKind::Place => "x.queue AS k1, x.{rank} AS k2, x.seq AS k3",
            KeyKind::Time => "x.at AS k1",
            KeyKind::Awaiting | KeyKind::Job => "0 AS k1",
        };
        format!(
            "SELECT j.*, COALESCE(s.claimed_at, p.at) AS claimed_at, s.at AS ended_at, {key}
             FROM {}
             LEFT JOIN {{p}}processing p ON p.job = j.id
             LEFT JOIN {{p}}succeeded s ON s.job = j.id
             WHERE 1 = 1",
            self.source
        )
    }

    /// Narrows the list to what comes after `key`, and returns whether that is a key of this list at all.
    ///
    /// It is said twice: PostgreSQL and SQLite find the place in their index by a comparison of rows, MySQL by one of
    /// columns.
    fn push_after(&self, text: &mut String, params: &mut Vec<Param>, key: Key) -> bool {
        match (self.key, key) {
            (KeyKind::Place, Key::Place(queue, rank, seq)) => {
                *text += " AND (x.queue, x.{rank}, x.seq) > (?, ?, ?)
                           AND (x.queue > ? OR (x.queue = ? AND x.{rank} > ?)
                                OR (x.queue = ? AND x.{rank} = ? AND x.seq > ?))";
                let queue = || Param::from(queue.clone());
                params.extend([queue(), rank.into(), seq.into(), queue(), queue(), rank.into()]);
                params.extend([queue(), rank.into(), seq.into()]);
            }
            (KeyKind::Time, Key::Time(at, job)) => {
                *text += if self.rising {
                    " AND (x.at, x.job) > (?, ?) AND (x.at > ? OR (x.at = ? AND x.job > ?))"
                } else {
                    " AND (x.at, x.job) < (?, ?) AND (x.at < ? OR (x.at = ? AND x.job < ?))"
                };
                params.extend([at.into(), job.into(), at.into(), at.into(), job.into()]);
            }
            (KeyKind::Job, Key::Job(job)) => {
                *text += " AND j.id < ?";
                params.push(job.into());
            }
            (KeyKind::Awaiting, Key::Job(job)) => {
                *text += " AND x.job < ?";
                params.push(job.into());
            }
            _ => return false,
        }
        true
    }

    fn key<R: Columns>(&self, row: &Reader<'_, R>) -> StorageResult<Key> {
        Ok(match self.key {
            KeyKind::Place => Key::Place(row.text("k1")?, row.int("k2")?, row.int("k3")?),
            KeyKind::Time => Key::Time(row.int("k1")?, row.id("id")?),
            KeyKind::Awaiting | KeyKind::Job => Key::Job(row.id("id")?),
        })
    }
}

fn push_filter(text: &mut String, params: &mut Vec<Param>, filter: &JobFilter) {
    if let Some(queue) = &filter.queue {
        *text += " AND j.queue = ?";
        params.push(queue.as_str().into());
    }
    if let Some(name) = &filter.name {
        *text += " AND j.type = ? AND j.method = ?";
        params.extend([name.type_name().into(), name.method().into()]);
    }
    if let Some(schedule) = &filter.schedule {
        *text += " AND j.schedule = ?";
        params.push(schedule.as_str().into());
    }
    if let Some(from) = filter.created_from {
        *text += " AND j.created_at >= ?";
        params.push(from.into());
    }
    if let Some(until) = filter.created_until {
        *text += " AND j.created_at < ?";
        params.push(until.into());
    }
}
