//! A backend outside the crate can be written with nothing but the public API: this one is slow and small, a map
//! behind a lock.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use jobs_runtime::{
    clock::{Clock, Timestamp},
    job::{JobId, Parameters},
    prelude::*,
    schedule::ScheduleId,
    state::{Attempts, Enqueued, Processing, Scheduled, State, StateName, Transition},
    storage::{
        Change, Changed, Claim, ClaimToken, ClaimedJob, Count, Counts, DueCursor, DueSchedules, Finish, Initial,
        JobDetails, JobFilter, JobPage, JobSummary, LockRequest, Monitor, NewJob, PageRequest, Period, Promotion,
        QueueStatus, Recorded, Rescue, Rescued, Retention, ScheduleWrite, ScheduleWritten, ServerId, ServerRecord,
        ServerStatus, Signals, Statistics, Storage, StorageError, StorageResult, StoredSchedule,
        backend::{self, Death, Effects},
    },
};

const TEN_SECONDS: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
struct Shelf {
    rows: Mutex<Rows>,
    clock: Clock,
    signals: Signals,
}

#[derive(Debug, Default)]
struct Rows {
    jobs: BTreeMap<JobId, Row>,
    schedules: BTreeMap<ScheduleId, StoredSchedule>,
    servers: BTreeMap<ServerId, ServerStatus>,
    hours: BTreeMap<i64, Statistics>,
    locks: BTreeMap<String, (String, Timestamp)>,
    tokens: i64,
    effects: Effects,
}

#[derive(Debug)]
struct Row {
    details: JobDetails,
    state: State,
    claim: Option<(ClaimToken, ServerId)>,
    begun: bool,
    spent: u32,
}

impl Shelf {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().expect("no verb panics")
    }

    fn write<T>(&self, verb: impl FnOnce(&mut Rows, Timestamp) -> T) -> T {
        let (answer, effects) = {
            let mut rows = self.rows();
            let answer = verb(&mut rows, self.clock.now());
            (answer, std::mem::take(&mut rows.effects))
        };
        effects.announce(&self.signals);
        answer
    }
}

impl Rows {
    fn insert(&mut self, new: NewJob, now: Timestamp) {
        let has_slot = new.recurrence.as_ref().is_some_and(|made| made.slot.is_some());
        if has_slot && self.jobs.values().any(|row| row.details.job.recurrence == new.recurrence) {
            return;
        }
        let name = backend::stored_job_name(
            new.invocation.name().type_name().to_owned(),
            new.invocation.name().method().to_owned(),
        );
        let mut job = JobSummary::new(new.id, name, new.invocation.arguments(), new.created_at);
        job.queue = backend::stored_queue_name(new.queue.to_string());
        (job.priority, job.state, job.recurrence) = (new.priority, new.initial.name(), new.recurrence);
        let mut details = JobDetails::new(job, Transition::new(new.initial.state(), now).history());
        details.max_attempts = new.max_attempts;
        details.parameters = new.parameters;
        self.effects.entered(new.initial.name());
        let row = Row { details, state: new.initial.state(), claim: None, begun: false, spent: 0 };
        self.jobs.entry(new.id).or_insert(row);
    }

    fn apply(&mut self, id: JobId, transition: Transition, now: Timestamp) {
        let Some(row) = self.jobs.get_mut(&id) else { return };
        let to = transition.to.name();
        row.spent = match transition.attempts {
            Attempts::Keep => row.spent,
            Attempts::Spend | Attempts::Lose => row.spent + 1,
            Attempts::Reset => 0,
        };
        row.details.lost += u32::from(transition.attempts == Attempts::Lose);
        row.details.history.extend(transition.history());
        (row.details.job.state, row.details.job.state_at) = (to, transition.at);
        row.details.expires_at = Retention::DEFAULT.expiry(&transition);
        if let Some(parameters) = &transition.parameters {
            row.details.parameters.clone_from(parameters);
        }
        row.details.result = match &transition.to {
            State::Succeeded(succeeded) => Some(succeeded.result.get().to_owned()),
            _ => None,
        };
        (row.claim, row.begun, row.state) = (None, false, transition.to);
        self.effects.entered(to);
        self.count(to, now);
        self.release(id, to, now);
    }

    fn count(&mut self, state: StateName, now: Timestamp) {
        let hour = Period::Hour.start(now);
        let counters = self.hours.entry(hour).or_insert_with(|| Statistics::beginning(hour));
        match state {
            StateName::Succeeded => counters.succeeded += 1,
            StateName::Failed => counters.failed += 1,
            StateName::Deleted => counters.deleted += 1,
            _ => {}
        }
    }

    fn release(&mut self, parent: JobId, entered: StateName, now: Timestamp) {
        let Some((next, reason)) = backend::release(entered) else { return };
        let awaits = |row: &Row| matches!(&row.state, State::Awaiting(awaiting) if awaiting.parent == parent);
        let children: Vec<JobId> = self.jobs.iter().filter(|(_, row)| awaits(row)).map(|(id, _)| *id).collect();
        for child in children {
            self.apply(child, Transition::new(next.clone(), now).because(reason), now);
        }
    }

    fn in_state(&self, state: StateName) -> impl Iterator<Item = (&JobId, &Row)> {
        self.jobs.iter().filter(move |(_, row)| row.details.job.state == state)
    }

    fn hold(&mut self, id: JobId, claim: &Claim, now: Timestamp) -> ClaimedJob {
        self.tokens += 1;
        let attempt = self.jobs[&id].spent + 1;
        self.apply(id, Transition::new(Processing { server: claim.server.to_string(), attempt }, now), now);
        let row = self.jobs.get_mut(&id).expect("it was applied");
        row.claim = Some((ClaimToken(self.tokens), claim.server.clone()));
        row.details.job.attempts = attempt;
        let job = &row.details.job;
        let token = ClaimToken(self.tokens);
        let mut claimed = ClaimedJob::new(id, token, job.name.clone(), job.arguments.clone(), job.created_at);
        (claimed.queue, claimed.attempt) = (job.queue.clone(), attempt);
        (claimed.lost, claimed.max_attempts) = (row.details.lost, row.details.max_attempts);
        claimed.recurrence.clone_from(&job.recurrence);
        claimed.parameters.clone_from(&row.details.parameters);
        claimed
    }

    fn holds(&self, (id, token): &(JobId, ClaimToken)) -> bool {
        self.jobs.get(id).and_then(|row| row.claim.as_ref()).is_some_and(|(held, _)| held == token)
    }

    fn finish(&mut self, finish: Finish, now: Timestamp) -> Recorded {
        if !self.holds(&(finish.job, finish.token)) {
            return Recorded::Fenced;
        }
        self.apply(finish.job, finish.transition, now);
        Recorded::Stored
    }

    fn change(&mut self, change: Change, now: Timestamp) -> Changed {
        let Some(row) = self.jobs.get(&change.job) else { return Changed::NotFound };
        let from = row.details.job.state;
        if !change.from.contains(from) {
            return Changed::Refused(from);
        }
        self.effects.revoked |= from == StateName::Processing;
        self.apply(change.job, change.transition, now);
        Changed::Moved(from)
    }

    fn write_schedule(&mut self, write: ScheduleWrite, now: Timestamp) -> ScheduleWritten {
        if self.schedules.get(&write.id).map(|found| found.version) != write.found {
            return ScheduleWritten::Conflict;
        }
        self.tokens += 1;
        let schedule = write.content.map(|content| {
            let mut schedule = StoredSchedule::new(write.id.clone(), self.tokens, content.definition, content.progress);
            schedule.next_run = content.next_run;
            schedule
        });
        match schedule {
            Some(schedule) => self.schedules.insert(write.id, schedule),
            None => self.schedules.remove(&write.id),
        };
        write.jobs.into_iter().for_each(|job| self.insert(job, now));
        self.effects.recurring = true;
        ScheduleWritten::Stored
    }

    fn orphans(&self, rescue: &Rescue) -> Vec<(JobId, ServerId, Death)> {
        let limit = rescue.silent_since;
        let dead = |server: &ServerId| self.servers.get(server).is_none_or(|status| status.heartbeat_at < limit);
        let orphan = |(id, row): (&JobId, &Row)| {
            let (_, server) = row.claim.as_ref().filter(|(_, server)| dead(server))?;
            Some((*id, server.clone(), Death { lost: row.details.lost, begun: row.begun }))
        };
        self.in_state(StateName::Processing).filter_map(orphan).take(rescue.limit).collect()
    }
}

#[async_trait]
impl Storage for Shelf {
    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn signals(&self) -> &Signals {
        &self.signals
    }

    fn describe(&self) -> String {
        "shelf:".to_owned()
    }

    async fn enqueue(&self, jobs: Vec<NewJob>) -> StorageResult<()> {
        let storage = self.describe();
        self.write(|rows, now| {
            for job in &jobs {
                match job.initial {
                    Initial::Awaiting(parent) if !rows.jobs.contains_key(&parent) => {
                        return Err(StorageError::UnknownParent { storage, parent });
                    }
                    _ => {}
                }
            }
            jobs.into_iter().for_each(|job| rows.insert(job, now));
            Ok(())
        })
    }

    async fn claim(&self, claim: Claim) -> StorageResult<Vec<ClaimedJob>> {
        Ok(self.write(|rows, now| {
            let ready =
                rows.in_state(StateName::Enqueued).filter(|(_, row)| claim.queues.contains(&row.details.job.queue));
            let ids: Vec<JobId> = ready.map(|(id, _)| *id).take(claim.limit).collect();
            ids.into_iter().map(|id| rows.hold(id, &claim, now)).collect()
        }))
    }

    async fn begin(&self, claims: Vec<(JobId, ClaimToken)>) -> StorageResult<()> {
        let mut rows = self.rows();
        for claim in claims {
            if rows.holds(&claim) {
                rows.jobs.entry(claim.0).and_modify(|row| row.begun = true);
            }
        }
        Ok(())
    }

    async fn set_parameters(&self, job: JobId, token: ClaimToken, parameters: Parameters) -> StorageResult<Recorded> {
        Ok(self.write(|rows, _| match rows.jobs.get_mut(&job) {
            Some(row) if row.claim.as_ref().is_some_and(|(held, _)| *held == token) => {
                row.details.parameters = parameters;
                Recorded::Stored
            }
            _ => Recorded::Fenced,
        }))
    }

    async fn finish(&self, batch: Vec<Finish>) -> StorageResult<Vec<Recorded>> {
        Ok(self.write(|rows, now| batch.into_iter().map(|finish| rows.finish(finish, now)).collect()))
    }

    async fn change(&self, batch: Vec<Change>) -> StorageResult<Vec<Changed>> {
        Ok(self.write(|rows, now| batch.into_iter().map(|change| rows.change(change, now)).collect()))
    }

    async fn promote(&self, limit: usize) -> StorageResult<Promotion> {
        Ok(self.write(|rows, now| {
            let due = |row: &Row| matches!(row.state, State::Scheduled(Scheduled { at }) if at <= now);
            let ids: Vec<JobId> = rows.jobs.iter().filter(|(_, row)| due(row)).map(|(id, _)| *id).take(limit).collect();
            for id in &ids {
                rows.apply(*id, Transition::new(Enqueued {}, now), now);
            }
            let times = rows.jobs.values().filter_map(|row| match row.state {
                State::Scheduled(Scheduled { at }) => Some(at),
                _ => None,
            });
            Promotion::new(ids.len(), times.min())
        }))
    }

    async fn due_schedules(&self, after: Option<DueCursor>, limit: usize) -> StorageResult<DueSchedules> {
        let (now, rows) = (self.clock.now(), self.rows());
        let mut waiting: Vec<_> =
            rows.schedules.values().filter_map(|found| Some(((found.next_run?, found.id.clone()), found))).collect();
        waiting.sort_by(|(a, _), (b, _)| a.cmp(b));
        let due =
            waiting.iter().filter(|(place, _)| place.0 <= now && after.as_ref().is_none_or(|after| place > after));
        let due = due.take(limit).map(|(_, found)| (*found).clone()).collect();
        let next_due = waiting.iter().map(|(place, _)| place.0).find(|at| *at > now);
        Ok(DueSchedules::new(due, next_due))
    }

    async fn write_schedules(&self, batch: Vec<ScheduleWrite>) -> StorageResult<Vec<ScheduleWritten>> {
        Ok(self.write(|rows, now| batch.into_iter().map(|write| rows.write_schedule(write, now)).collect()))
    }

    async fn heartbeat(&self, server: &ServerRecord) -> StorageResult<Vec<(JobId, ClaimToken)>> {
        let mut rows = self.rows();
        let status = ServerStatus::new(server.clone(), self.clock.now(), Count::default());
        rows.servers.insert(server.id.clone(), status);
        let held = |(id, row): (&JobId, &Row)| {
            row.claim.as_ref().filter(|(_, holder)| *holder == server.id).map(|(token, _)| (*id, *token))
        };
        Ok(rows.jobs.iter().filter_map(held).collect())
    }

    async fn rescue(&self, rescue: Rescue) -> StorageResult<Vec<Rescued>> {
        Ok(self.write(|rows, now| {
            let rescued = rows.orphans(&rescue).into_iter().map(|(job, server, death)| {
                let transition = backend::lost(server.as_str(), death, rescue.max_lost, now);
                let to = transition.to.name();
                rows.apply(job, transition, now);
                Rescued::new(job, server, to)
            });
            rescued.collect()
        }))
    }

    async fn lock(&self, request: LockRequest) -> StorageResult<bool> {
        Ok(self.write(|rows, now| {
            let LockRequest { name, owner, lease } = request;
            let (holder, until) = rows.locks.entry(name).or_insert_with(|| (owner.clone(), now));
            if *holder != owner && *until > now {
                return false;
            }
            (*holder, *until) = (owner, now + lease);
            true
        }))
    }

    async fn unlock(&self, name: &str, owner: &str) -> StorageResult<bool> {
        Ok(self.write(|rows, now| {
            let is_held = rows.locks.get(name).is_some_and(|(holder, until)| holder == owner && *until > now);
            if is_held {
                rows.locks.remove(name);
            }
            is_held
        }))
    }

    async fn retire(&self, server: &ServerId) -> StorageResult<()> {
        self.rows().servers.remove(server);
        Ok(())
    }

    async fn revoked(&self, claims: Vec<(JobId, ClaimToken)>) -> StorageResult<Vec<(JobId, ClaimToken)>> {
        let rows = self.rows();
        Ok(claims.into_iter().filter(|claim| !rows.holds(claim)).collect())
    }

    async fn expire(&self, limit: usize) -> StorageResult<usize> {
        Ok(self.write(|rows, now| {
            let expired = |row: &Row| row.details.expires_at.is_some_and(|at| at <= now);
            let ids: Vec<JobId> =
                rows.jobs.iter().filter(|(_, row)| expired(row)).map(|(id, _)| *id).take(limit).collect();
            ids.iter().filter(|id| rows.jobs.remove(id).is_some()).count()
        }))
    }

    async fn close(&self) {}
}

#[async_trait]
impl Monitor for Shelf {
    async fn job(&self, id: JobId) -> StorageResult<Option<JobDetails>> {
        Ok(self.rows().jobs.get(&id).map(|row| row.details.clone()))
    }

    async fn states(&self, ids: &[JobId]) -> StorageResult<Vec<(JobId, StateName)>> {
        let rows = self.rows();
        Ok(ids.iter().filter_map(|id| Some((*id, rows.jobs.get(id)?.details.job.state))).collect())
    }

    async fn jobs(&self, filter: &JobFilter, page: &PageRequest) -> StorageResult<JobPage> {
        let after: Option<JobId> = page.cursor(filter.state)?;
        let rows = self.rows();
        let wanted = |job: &&JobSummary| {
            filter.state.is_none_or(|state| job.state == state) && after.is_none_or(|after| job.id < after)
        };
        let mut matching = rows.jobs.values().rev().map(|row| &row.details.job).filter(wanted).cloned();
        let jobs: Vec<JobSummary> = matching.by_ref().take(page.bounded_limit()).collect();
        let more = matching.next().is_some();
        let next = jobs.last().filter(|_| more).map(|job| backend::cursor(filter.state, &job.id));
        Ok(JobPage { jobs, next })
    }

    async fn schedule(&self, id: &ScheduleId) -> StorageResult<Option<StoredSchedule>> {
        Ok(self.rows().schedules.get(id).cloned())
    }

    async fn schedules(&self, after: Option<&ScheduleId>, limit: usize) -> StorageResult<Vec<StoredSchedule>> {
        let rows = self.rows();
        let listed = rows.schedules.values().filter(|found| after.is_none_or(|after| found.id > *after));
        Ok(listed.take(limit).cloned().collect())
    }

    async fn counts(&self) -> StorageResult<Counts> {
        let (rows, mut counts) = (self.rows(), Counts::default());
        for state in StateName::ALL {
            counts.set(state, Count::of(rows.in_state(state).count() as u64, Count::CAP));
        }
        Ok(counts)
    }

    async fn queues(&self) -> StorageResult<Vec<QueueStatus>> {
        let (rows, mut queues) = (self.rows(), BTreeMap::<QueueName, u64>::new());
        for (_, row) in rows.in_state(StateName::Enqueued) {
            *queues.entry(row.details.job.queue.clone()).or_default() += 1;
        }
        Ok(queues.into_iter().map(|(name, waiting)| QueueStatus::new(name, Count::of(waiting, Count::CAP))).collect())
    }

    async fn servers(&self) -> StorageResult<Vec<ServerStatus>> {
        Ok(self.rows().servers.values().cloned().collect())
    }

    async fn statistics(&self, period: Period, from: Timestamp, until: Timestamp) -> StorageResult<Vec<Statistics>> {
        let rows = self.rows();
        let hours = rows.hours.range(from.timestamp()..until.timestamp()).map(|(hour, counters)| (*hour, *counters));
        Ok(Statistics::grouped(period, hours))
    }

    async fn totals(&self) -> StorageResult<Statistics> {
        Ok(Statistics::sum(self.rows().hours.values()))
    }
}

#[job(retry(attempts = 1, fixed = "1ms"))]
async fn double(n: u64) -> Result<u64, String> {
    n.checked_mul(2).ok_or_else(|| format!("{n} is too large"))
}

#[tokio::test]
async fn a_backend_of_ones_own_serves() {
    let bare: Arc<dyn Storage> = Arc::new(Shelf::default());
    for storage in [bare.clone(), backend::guarded(bare, backend::DEFAULT_LIMIT)] {
        let server = JobServer::builder(storage.clone()).discover(false).register::<Double>().start().await;
        let server = server.expect("started");
        let client = Client::new(storage);
        let parent = client.enqueue(Double::new(21)).delay(Duration::from_millis(5)).await.expect("stored");
        let child = client.enqueue(Double::new(4)).after(&parent).await.expect("stored");
        assert_eq!(child.wait(TEN_SECONDS).await.expect("done"), 8);
        assert_eq!(parent.wait(TEN_SECONDS).await.expect("done"), 42);
        let error = client.enqueue(Double::new(u64::MAX)).await.expect("stored").wait(TEN_SECONDS).await;
        assert!(matches!(error, Err(WaitError::Failed { .. })), "{error:?}");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }
}

#[tokio::test]
async fn a_list_of_it_has_pages() {
    let client = Client::new(Arc::new(Shelf::default()));
    client.enqueue_all((0..3).map(Double::new)).await.expect("stored");
    let first = client.monitor().jobs(&JobFilter::all(), &PageRequest::first(2)).await.expect("read");
    let rest = PageRequest::after(2, first.next.expect("a next page"));
    assert_eq!(client.monitor().jobs(&JobFilter::all(), &rest).await.expect("read").jobs.len(), 1);
    let waiting = JobFilter::state(StateName::Enqueued);
    assert!(matches!(client.monitor().jobs(&waiting, &rest).await, Err(StorageError::InvalidCursor(_))));
    assert_eq!(client.monitor().queues().await.expect("read").len(), 1);
}
