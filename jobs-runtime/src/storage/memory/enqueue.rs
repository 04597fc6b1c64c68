//! Storing jobs.

use std::collections::{BTreeSet, HashSet};

use super::tables::{Row, Tables};
use crate::{
    clock::Timestamp,
    job::JobId,
    state::{HistoryEntry, Transition, release},
    storage::{Initial, NewJob},
};

impl Tables {
    /// Stores all jobs, or none and returns the parent that is missing.
    pub(super) fn enqueue(&mut self, jobs: Vec<NewJob>, now: Timestamp) -> Result<(), JobId> {
        let new = self.ids_that_will_be_there(&jobs);
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

    /// The ids of the jobs, but for those that are left out because their slot has another job.
    fn ids_that_will_be_there(&self, jobs: &[NewJob]) -> BTreeSet<JobId> {
        let (mut ids, mut slots) = (BTreeSet::new(), HashSet::new());
        for job in jobs {
            let slot = job.recurrence.as_ref().filter(|made| made.slot.is_some());
            if slot.is_none_or(|slot| !self.slots.contains(slot) && slots.insert(slot)) {
                ids.insert(job.id);
            }
        }
        ids
    }

    pub(super) fn insert(&mut self, job: NewJob) -> Option<(JobId, Initial)> {
        let (id, initial) = (job.id, job.initial);
        if self.jobs.contains_key(&id) || !self.takes_slot(&job) {
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
            succeeded_by: None,
            begun: false,
        };
        self.jobs.insert(id, row);
        if let Initial::Awaiting(parent) = initial {
            self.children.entry(parent).or_default().push(id);
        }
        self.enter(id, false);
        Some((id, initial))
    }

    /// Whether the job is not one for a slot that has one already.
    fn takes_slot(&mut self, job: &NewJob) -> bool {
        match &job.recurrence {
            Some(recurrence) if recurrence.slot.is_some() => self.slots.insert(recurrence.clone()),
            _ => true,
        }
    }
}
