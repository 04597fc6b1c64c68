//! What is to be written so that a storage has the schedules of a program. Pure.

use std::collections::{BTreeMap, BTreeSet};

use tracing::{info, warn};

use super::Declared;
use crate::{
    client::{
        Schedule, ScheduleDefinition,
        recurring::{steps, warn_of_wrong_clock},
    },
    clock::Timestamp,
    job::Registry,
    schedule::ScheduleId,
    storage::ScheduleWrite,
};

/// The schedules of a storage, by id.
pub(super) type Stored = BTreeMap<ScheduleId, Schedule>;

/// What is to become of the schedules of a storage when a server starts.
#[derive(Debug)]
pub(super) struct Plan<'p> {
    pub(super) declared: &'p Declared,
    pub(super) registry: &'p Registry,
    pub(super) remove_orphans: bool,
    /// Schedules that go on where another one is, and that one, because their job was renamed.
    pub(super) renamed: BTreeMap<ScheduleId, ScheduleId>,
}

/// Changes that belong together, and what is to be told of them when they are stored.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) writes: Vec<ScheduleWrite>,
    news: Vec<News>,
}

#[derive(Debug)]
enum News {
    Changed,
    Renamed { from: ScheduleId, to: ScheduleId },
    Orphaned { removed: bool },
    Corrected,
}

impl Plan<'_> {
    /// All changes of the `wanted` schedules, as they are `stored`.
    pub(super) fn steps(&mut self, stored: &Stored, wanted: &BTreeSet<ScheduleId>, now: Timestamp) -> Vec<Step> {
        self.find_renamed(stored);
        let step = |id| {
            let found = stored.get(id);
            let from = self.renamed.get(id).and_then(|from| stored.get(from));
            match (self.declared.schedules.get(id), from) {
                (Some((definition, _)), Some(from)) => take_over(id, found, from, definition, now),
                (Some((definition, _)), None) => define(id, found, definition, now),
                // The one that takes it over removes it.
                (None, _) if self.renamed.values().any(|from| from == id) => None,
                (None, _) => self.settle(found?, now),
            }
        };
        wanted.iter().filter_map(step).collect()
    }

    /// Notes which schedules are to be taken over, before they are there under their new ids. When that was refused, it
    /// holds also if they are.
    fn find_renamed(&mut self, stored: &Stored) {
        for orphan in stored.values().filter(|found| self.declared.is_orphan(found)) {
            let Some(heir) = self.heir(orphan).filter(|heir| !stored.contains_key(heir)) else { continue };
            let last = self.renamed.get(&heir).and_then(|from| stored.get(from));
            // The job may have been renamed more than once.
            if last.is_none_or(|last| last.base() < orphan.base()) {
                self.renamed.insert(heir, orphan.id().clone());
            }
        }
    }

    /// The declared schedule of the same job under its present name, if both are named as the job is.
    fn heir(&self, orphan: &Schedule) -> Option<ScheduleId> {
        let old = orphan.definition()?.job();
        let new = self.registry.get(&old)?.descriptor.name();
        let is_renamed = new != old && orphan.id().as_str() == old.to_string();
        ScheduleId::new(new.to_string()).ok().filter(|id| is_renamed && self.declared.schedules.contains_key(id))
    }

    /// What becomes of a schedule that the program doesn't declare.
    fn settle(&self, found: &Schedule, now: Timestamp) -> Option<Step> {
        let is_orphan = self.declared.is_orphan(found);
        if is_orphan && self.remove_orphans {
            return Some(Step { writes: vec![found.removal()], news: vec![News::Orphaned { removed: true }] });
        }
        let (marks, corrects) = (is_orphan && !found.is_orphaned(), steps::can_be_corrected(found, now));
        let write = steps::revise(found, marks, corrects, now)?;
        let marked = marks.then_some(News::Orphaned { removed: false });
        Some(Step {
            writes: vec![write],
            news: marked.into_iter().chain(corrects.then_some(News::Corrected)).collect(),
        })
    }
}

fn take_over(
    id: &ScheduleId,
    found: Option<&Schedule>,
    from: &Schedule,
    definition: &ScheduleDefinition,
    now: Timestamp,
) -> Option<Step> {
    // An expression was read to get here, so this can't fail.
    let writes = steps::take_over(id, found, from, definition, now).ok()?;
    Some(Step { writes, news: vec![News::Renamed { from: from.id().clone(), to: id.clone() }] })
}

fn define(id: &ScheduleId, found: Option<&Schedule>, definition: &ScheduleDefinition, now: Timestamp) -> Option<Step> {
    let write = steps::define(id, found, definition, now).ok().flatten()?;
    let corrected = found.is_some_and(|found| found.is_ahead_of(now)).then_some(News::Corrected);
    Some(Step { writes: vec![write], news: std::iter::once(News::Changed).chain(corrected).collect() })
}

impl Step {
    pub(super) fn log(&self) {
        let Some(id) = self.writes.first().map(|write| &write.id) else { return };
        for news in &self.news {
            match news {
                News::Changed => info!(schedule = %id, "a schedule was added or changed"),
                News::Renamed { from, to } => {
                    info!(schedule = %to, %from, "a schedule goes on under another id, because its job was renamed");
                }
                News::Orphaned { removed } => {
                    warn!(schedule = %id, removed, "a schedule stands in the source no longer");
                }
                News::Corrected => warn_of_wrong_clock(id),
            }
        }
    }
}
