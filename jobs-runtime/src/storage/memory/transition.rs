//! The way of a job from any state to any other.

use super::tables::{Row, Tables};
use crate::{
    clock::Timestamp,
    job::JobId,
    state::{Attempts, Scheduled, State, StateName, Transition, release},
    storage::{Period, Statistics},
};

impl Tables {
    /// Moves a job, and with it those that awaited it.
    pub(super) fn apply(&mut self, id: JobId, transition: Transition) {
        let (at, to) = (transition.at, transition.to.name());
        self.apply_one(id, transition);
        if let Some((next, reason)) = release(to) {
            self.release(id, next, at, reason);
        }
    }

    /// Moves the jobs that await `parent`, and with each those that awaited it.
    pub(super) fn release(&mut self, parent: JobId, to: State, at: Timestamp, reason: &str) {
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

    pub(super) fn apply_one(&mut self, id: JobId, transition: Transition) {
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
        // A success keeps the delivery that it ends, so that it is known when it is recorded again.
        row.succeeded_by =
            row.claim.take().map(|(token, _)| token).filter(|_| transition.to.name() == StateName::Succeeded);
        row.begun = false;
        let keeps_place = transition.keeps_place(row.state.name());
        row.expires_at = self.retention.expiry(&transition);
        row.state = transition.to;
        row.state_at = transition.at;
        if let Some(parameters) = transition.parameters {
            row.job.parameters = parameters;
        }
        self.count(id);
        self.enter(id, keeps_place);
    }

    /// Adds a job to the index of its state; into its queue at the end, unless it keeps its place.
    pub(super) fn enter(&mut self, id: JobId, keeps_place: bool) {
        let age = self.next();
        let Some(row) = self.jobs.get_mut(&id) else { return };
        let state = row.state.name();
        if state == StateName::Enqueued {
            row.age = if keeps_place { row.age } else { age };
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
    pub(super) fn leave(&mut self, id: JobId) {
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

    /// Counts by the storage's clock, not by the time of the transition, which is another's.
    pub(super) fn count(&mut self, id: JobId) {
        let hour = Period::Hour.start(self.now);
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
}

impl Row {
    /// Where the job stands in its queue.
    pub(super) fn place(&self) -> (i32, u64, JobId) {
        (-i32::from(self.job.priority), self.age, self.job.id)
    }

    /// The time by which jobs of its state are ordered.
    pub(super) fn ordered_at(&self) -> Timestamp {
        match &self.state {
            State::Scheduled(Scheduled { at }) => *at,
            _ => self.state_at,
        }
    }
}
