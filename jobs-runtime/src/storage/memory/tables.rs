use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    clock::{Timestamp, before},
    job::{JobId, QueueName},
    state::{
        Attempts, Death, Deleted, Enqueued, HistoryEntry, Processing, Scheduled, State, StateName, Transition, lost,
        release,
    },
    storage::{
        Change, Changed, Claim, ClaimToken, ClaimedJob, Finish, Initial, NewJob, Period, Promotion, Recorded, Rescue,
        Rescued, Retention, ServerId, ServerRecord, Statistics, signals::Effects,
    },
};

/// All jobs, and one ordered index a state.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) jobs: BTreeMap<JobId, Row>,
    /// By queue: rank (negative priority), age, id.
    pub(super) ready: BTreeMap<QueueName, BTreeSet<(i32, u64, JobId)>>,
    /// The jobs of every other state, by the time that orders them.
    pub(super) index: [BTreeSet<(Timestamp, JobId)>; 7],
    pub(super) servers: BTreeMap<ServerId, (ServerRecord, Timestamp)>,
    /// By hour.
    pub(super) statistics: BTreeMap<i64, Statistics>,
    children: HashMap<JobId, Vec<JobId>>,
    expiring: BTreeSet<(Timestamp, JobId)>,
    retention: Retention,
    sequence: u64,
    effects: Effects,
}

/// A stored job.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) job: NewJob,
    pub(super) state: State,
    pub(super) state_at: Timestamp,
    pub(super) spent: u32,
    pub(super) lost: u32,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) history: Vec<HistoryEntry>,
    age: u64,
    claim: Option<(ClaimToken, ServerId)>,
    /// Whether the server said that the run begins.
    begun: bool,
}

impl Tables {
    pub(super) fn new(retention: Retention) -> Self {
        Self {
            jobs: BTreeMap::new(),
            ready: BTreeMap::new(),
            index: Default::default(),
            servers: BTreeMap::new(),
            statistics: BTreeMap::new(),
            children: HashMap::new(),
            expiring: BTreeSet::new(),
            retention,
            sequence: 0,
            effects: Effects::default(),
        }
    }

    pub(super) fn take_effects(&mut self) -> Effects {
        std::mem::take(&mut self.effects)
    }

    /// Stores all jobs, or none and returns the parent that is missing.
    pub(super) fn enqueue(&mut self, jobs: Vec<NewJob>, now: Timestamp) -> Result<(), JobId> {
        let new: BTreeSet<JobId> = jobs.iter().map(|job| job.id).collect();
        let missing = jobs.iter().find_map(|job| match job.initial {
            Initial::Awaiting(parent) if !new.contains(&parent) && !self.jobs.contains_key(&parent) => Some(parent),
            _ => None,
        });
        if let Some(parent) = missing {
            return Err(parent);
        }
        let stored: Vec<(JobId, Initial)> = jobs.into_iter().filter_map(|job| self.insert(job)).collect();
        for (id, initial) in stored {
            let Initial::Awaiting(parent) = initial else { continue };
            let parent = self.jobs[&parent].state.name();
            if let Some((to, reason)) = release(parent) {
                self.apply(id, Transition::new(to, now).because(reason));
            }
        }
        Ok(())
    }

    fn insert(&mut self, job: NewJob) -> Option<(JobId, Initial)> {
        let (id, initial) = (job.id, job.initial);
        if self.jobs.contains_key(&id) {
            return None;
        }
        let (state, at) = (initial.state(), job.created_at);
        let row = Row {
            history: vec![HistoryEntry::new(&state, at, None)],
            job,
            state,
            state_at: at,
            spent: 0,
            lost: 0,
            expires_at: None,
            age: 0,
            claim: None,
            begun: false,
        };
        self.jobs.insert(id, row);
        if let Initial::Awaiting(parent) = initial {
            self.children.entry(parent).or_default().push(id);
        }
        self.enter(id);
        Some((id, initial))
    }

    pub(super) fn claim(&mut self, claim: &Claim, now: Timestamp) -> Vec<ClaimedJob> {
        let token = ClaimToken(i64::try_from(self.next()).unwrap_or(i64::MAX));
        let mut taken = Vec::new();
        for queue in claim.queues.iter() {
            let Some(ready) = self.ready.get(queue) else { continue };
            taken.extend(ready.iter().take(claim.limit - taken.len()).map(|(_, _, id)| *id));
        }
        taken.into_iter().filter_map(|id| self.hold(id, token, &claim.server, now)).collect()
    }

    fn hold(&mut self, id: JobId, token: ClaimToken, server: &ServerId, now: Timestamp) -> Option<ClaimedJob> {
        let attempt = self.jobs.get(&id)?.spent + 1;
        let to = Processing { server: server.to_string(), attempt };
        self.apply(id, Transition::new(to, now));
        let row = self.jobs.get_mut(&id)?;
        row.claim = Some((token, server.clone()));
        Some(ClaimedJob {
            id,
            token,
            name: row.job.invocation.name().clone(),
            arguments: row.job.invocation.arguments().to_owned(),
            queue: row.job.queue.clone(),
            attempt,
            lost: row.lost,
            max_attempts: row.job.max_attempts,
            created_at: row.job.created_at,
        })
    }

    pub(super) fn holds(&self, id: JobId, token: ClaimToken) -> bool {
        self.jobs.get(&id).and_then(|row| row.claim.as_ref()).is_some_and(|(held, _)| *held == token)
    }

    pub(super) fn begin(&mut self, claims: &[(JobId, ClaimToken)]) {
        for (id, token) in claims {
            if self.holds(*id, *token)
                && let Some(row) = self.jobs.get_mut(id)
            {
                row.begun = true;
            }
        }
    }

    /// The claims that a server holds.
    pub(super) fn held_by<'t>(&'t self, server: &'t ServerId) -> impl Iterator<Item = (JobId, ClaimToken)> + 't {
        self.index[StateName::Processing as usize].iter().filter_map(move |(_, id)| {
            let (token, holder) = self.jobs.get(id)?.claim.as_ref()?;
            (holder == server).then_some((*id, *token))
        })
    }

    pub(super) fn finish(&mut self, finish: Finish) -> Recorded {
        if !self.holds(finish.job, finish.token) {
            return Recorded::Fenced;
        }
        self.apply(finish.job, finish.transition);
        Recorded::Stored
    }

    pub(super) fn change(&mut self, change: Change) -> Changed {
        let Some(row) = self.jobs.get(&change.job) else { return Changed::NotFound };
        let from = row.state.name();
        if !change.from.contains(from) {
            return Changed::Refused(from);
        }
        self.effects.revoked |= from == StateName::Processing;
        self.apply(change.job, change.transition);
        Changed::Moved(from)
    }

    pub(super) fn promote(&mut self, limit: usize, now: Timestamp) -> Promotion {
        let due: Vec<JobId> = self.index[StateName::Scheduled as usize]
            .iter()
            .take_while(|(at, _)| *at <= now)
            .take(limit)
            .map(|(_, id)| *id)
            .collect();
        for id in &due {
            self.apply(*id, Transition::new(Enqueued {}, now).because("its time has come"));
        }
        let next_due = self.index[StateName::Scheduled as usize].first().map(|(at, _)| *at);
        Promotion { promoted: due.len(), next_due }
    }

    pub(super) fn rescue(&mut self, rescue: &Rescue, now: Timestamp) -> Vec<Rescued> {
        let limit = before(now, rescue.stale_after);
        let alive = |server: &ServerId| self.servers.get(server).is_some_and(|(_, beat)| *beat >= limit);
        let orphans: Vec<(JobId, ServerId, Death)> = self.index[StateName::Processing as usize]
            .iter()
            .filter_map(|(_, id)| {
                let row = &self.jobs[id];
                let (_, server) = row.claim.as_ref()?;
                (!alive(server)).then(|| (*id, server.clone(), Death { lost: row.lost, begun: row.begun }))
            })
            .take(rescue.limit)
            .collect();
        let rescued: Vec<Rescued> = orphans
            .into_iter()
            .map(|(job, server, death)| {
                let transition = lost(server.as_str(), death, rescue.max_lost, now);
                let to = transition.to.name();
                self.apply(job, transition);
                Rescued { job, server, to }
            })
            .collect();
        self.servers.retain(|_, (_, beat)| *beat >= limit);
        rescued
    }

    pub(super) fn expire(&mut self, limit: usize, now: Timestamp) -> usize {
        let expired: Vec<JobId> =
            self.expiring.iter().take_while(|(at, _)| *at <= now).take(limit).map(|(_, id)| *id).collect();
        for id in &expired {
            self.release(*id, Deleted {}.into(), now, "the awaited job expired");
            self.leave(*id);
            self.jobs.remove(id);
        }
        expired.len()
    }

    /// Moves a job, and with it those that awaited it.
    fn apply(&mut self, id: JobId, transition: Transition) {
        let (at, to) = (transition.at, transition.to.name());
        self.apply_one(id, transition);
        if let Some((next, reason)) = release(to) {
            self.release(id, next, at, reason);
        }
    }

    /// Moves the jobs that await `parent`, and with each those that awaited it.
    fn release(&mut self, parent: JobId, to: State, at: Timestamp, reason: &str) {
        let mut parents = vec![(parent, to, reason)];
        while let Some((parent, to, reason)) = parents.pop() {
            for child in self.children.remove(&parent).unwrap_or_default() {
                let awaits = self.jobs.get(&child).is_some_and(|row| row.state.name() == StateName::Awaiting);
                if !awaits {
                    continue;
                }
                self.apply_one(child, Transition::new(to.clone(), at).because(reason));
                parents.extend(release(to.name()).map(|(next, reason)| (child, next, reason)));
            }
        }
    }

    fn apply_one(&mut self, id: JobId, transition: Transition) {
        self.leave(id);
        let Some(row) = self.jobs.get_mut(&id) else { return };
        row.history.extend(transition.history());
        row.spent = match transition.attempts {
            Attempts::Keep => row.spent,
            Attempts::Spend | Attempts::Lose => row.spent + 1,
            Attempts::Reset => 0,
        };
        match transition.attempts {
            Attempts::Lose => row.lost += 1,
            Attempts::Reset => row.lost = 0,
            Attempts::Keep | Attempts::Spend => {}
        }
        row.claim = None;
        row.begun = false;
        row.state = transition.to;
        row.state_at = transition.at;
        row.expires_at = self.retention.expires_at(row.state.name(), transition.at);
        self.count(transition.at, id);
        self.enter(id);
    }

    /// Adds a job to the index of its state.
    fn enter(&mut self, id: JobId) {
        let age = self.next();
        let Some(row) = self.jobs.get_mut(&id) else { return };
        let state = row.state.name();
        if state == StateName::Enqueued {
            row.age = age;
            let place = row.place();
            self.ready.entry(row.job.queue.clone()).or_default().insert(place);
        } else {
            self.index[state as usize].insert((row.ordered_at(), id));
        }
        if let Some(at) = row.expires_at {
            self.expiring.insert((at, id));
        }
        self.effects.entered(state);
    }

    /// Takes a job out of the index of its state.
    fn leave(&mut self, id: JobId) {
        let Some(row) = self.jobs.get(&id) else { return };
        let state = row.state.name();
        if let Some(ready) = self.ready.get_mut(&row.job.queue).filter(|_| state == StateName::Enqueued) {
            ready.remove(&row.place());
            if ready.is_empty() {
                self.ready.remove(&row.job.queue);
            }
        }
        self.index[state as usize].remove(&(row.ordered_at(), id));
        if let Some(at) = row.expires_at {
            self.expiring.remove(&(at, id));
        }
    }

    fn count(&mut self, at: Timestamp, id: JobId) {
        let hour = Period::Hour.start(at);
        let state = self.jobs[&id].state.name();
        if !matches!(state, StateName::Succeeded | StateName::Failed | StateName::Deleted) {
            return;
        }
        let counters = self.statistics.entry(hour).or_insert_with(|| Statistics::beginning(hour));
        match state {
            StateName::Succeeded => counters.succeeded += 1,
            StateName::Failed => counters.failed += 1,
            _ => counters.deleted += 1,
        }
    }

    fn next(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}

impl Row {
    /// Where the job stands in its queue.
    pub(super) fn place(&self) -> (i32, u64, JobId) {
        (-i32::from(self.job.priority), self.age, self.job.id)
    }

    /// The time by which jobs of its state are ordered.
    fn ordered_at(&self) -> Timestamp {
        match &self.state {
            State::Scheduled(Scheduled { at }) => *at,
            _ => self.state_at,
        }
    }
}
