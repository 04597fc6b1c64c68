use std::collections::{BTreeMap, BTreeSet};

use tracing::warn;

use super::{
    Declared,
    plan::{Plan, Step, Stored},
};
use crate::{
    client::{Client, Schedule},
    job::Registry,
    schedule::ScheduleId,
    storage::{ScheduleWrite, ScheduleWritten, StorageResult},
};

/// How many changes are written at once.
const BATCH: usize = 500;

/// How often a schedule is looked at again, because others change it at the same time: servers that start together,
/// most often, and then there is nothing left to do.
const TRIES: usize = 5;

impl Declared {
    /// Writes them to the storage, marks or removes those that the program's packages declared earlier, and lets those
    /// count from now that a clock has put far ahead. What is as it should be is not written.
    pub(in crate::server) async fn store(
        &self,
        client: &Client,
        registry: &Registry,
        remove_orphans: bool,
    ) -> StorageResult<()> {
        let found = client.recurring().list().await?;
        let mut stored: Stored = found.into_iter().map(|schedule| (schedule.id().clone(), schedule)).collect();
        let mut wanted: BTreeSet<ScheduleId> = stored.keys().chain(self.schedules.keys()).cloned().collect();
        let mut plan = Plan { declared: self, registry, remove_orphans, renamed: BTreeMap::new() };
        for _ in 0..TRIES {
            let steps = plan.steps(&stored, &wanted, client.storage().clock().now());
            wanted = write(client, &steps).await?;
            if wanted.is_empty() {
                return Ok(());
            }
            for id in &wanted {
                look_again(client, id, &mut stored).await?;
            }
        }
        for id in wanted {
            warn!(schedule = %id, "a schedule could not be stored: it was changed by others each time");
        }
        Ok(())
    }
}

/// Writes all steps; returns the schedules of those that were not stored, because others have changed them meanwhile.
async fn write(client: &Client, steps: &[Step]) -> StorageResult<BTreeSet<ScheduleId>> {
    let mut refused = BTreeSet::new();
    for batch in steps.chunks(BATCH) {
        let writes: Vec<ScheduleWrite> = batch.iter().flat_map(|step| step.writes.clone()).collect();
        let mut written = client.storage().write_schedules(writes).await?.into_iter();
        for step in batch {
            let written: Vec<ScheduleWritten> = written.by_ref().take(step.writes.len()).collect();
            if written.iter().all(|written| *written == ScheduleWritten::Stored) {
                step.log();
            } else {
                refused.extend(step.writes.iter().map(|write| write.id.clone()));
            }
        }
    }
    Ok(refused)
}

async fn look_again(client: &Client, id: &ScheduleId, stored: &mut Stored) -> StorageResult<()> {
    match client.monitor().schedule(id).await? {
        Some(found) => stored.insert(id.clone(), Schedule::read(found)),
        None => stored.remove(id),
    };
    Ok(())
}
