//! The schedules that stand in the source: checked when a server starts, and written to its storage.

use std::collections::{BTreeMap, HashSet};

use tracing::{info, warn};

use crate::{
    client::{Client, Schedule, ScheduleDefinition, ScheduleError, recurring::steps},
    job::{Location, QueueName, Registry},
    schedule::{CronSchedule, RecurringDescriptor, ScheduleId, ScheduleOptions},
    storage::{ScheduleWrite, ScheduleWritten, StorageError},
};

/// The schedules of a program, checked.
#[derive(Debug, Default)]
pub(in crate::server) struct Declared {
    schedules: BTreeMap<ScheduleId, (ScheduleDefinition, Location)>,
    /// The packages that are linked into the program; what they don't declare any more is orphaned.
    packages: HashSet<&'static str>,
}

impl Declared {
    /// Reads the schedules of all jobs that the registry has; what is wrong is added to `problems`.
    pub(in crate::server) fn check(
        descriptors: impl IntoIterator<Item = RecurringDescriptor>,
        registry: &Registry,
        problems: &mut Vec<String>,
    ) -> Self {
        let of_handlers = registry.handlers().filter_map(|handler| handler.descriptor.location()?.package());
        let mut declared = Self { schedules: BTreeMap::new(), packages: of_handlers.collect() };
        for descriptor in descriptors {
            declared.packages.insert(descriptor.package);
            match read(&descriptor, registry) {
                Ok(Some((id, definition))) => declared.add(id, definition, descriptor.location, problems),
                Ok(None) => {}
                Err(problem) => problems.push(format!("`#[recurring]` at {}: {problem}", descriptor.location)),
            }
        }
        declared
    }

    fn add(&mut self, id: ScheduleId, definition: ScheduleDefinition, location: Location, problems: &mut Vec<String>) {
        if let Some((_, first)) = self.schedules.get(&id) {
            problems.push(format!(
                "two schedules have the id `{id}`: one at {first}, one at {location}; give one of them another with \
                 `#[recurring(id = \"…\")]`"
            ));
        }
        self.schedules.insert(id, (definition, location));
    }

    /// The queues in which their jobs will wait, each with the schedule that names it.
    pub(in crate::server) fn queues(&self) -> impl Iterator<Item = (QueueName, &ScheduleId, &Location)> {
        self.schedules.iter().map(|(id, (definition, location))| (definition.queue(), id, location))
    }

    /// Writes them to the storage, and marks or removes those that the program's packages declared earlier. What is so
    /// already is not written.
    pub(in crate::server) async fn store(&self, client: &Client, remove_orphans: bool) -> Result<(), StorageError> {
        let found: BTreeMap<ScheduleId, Schedule> =
            client.recurring().list().await?.into_iter().map(|schedule| (schedule.id().clone(), schedule)).collect();
        let now = client.storage().clock().now();
        let defined = self.schedules.iter().filter_map(|(id, (definition, _))| {
            // An expression was read to get here, so this can't fail.
            steps::define(id, found.get(id), definition, now).ok().flatten()
        });
        let orphans = found.values().filter(|schedule| self.is_orphan(schedule));
        let orphaned = orphans.filter_map(|orphan| settle(orphan, remove_orphans));
        let writes: Vec<ScheduleWrite> = defined.chain(orphaned).collect();
        for batch in writes.chunks(BATCH) {
            let written = client.storage().write_schedules(batch.to_vec()).await?;
            for (write, written) in batch.iter().zip(written) {
                match (self.schedules.get(&write.id), written) {
                    (Some((definition, _)), ScheduleWritten::Conflict) => again(client, &write.id, definition).await?,
                    (Some(_), ScheduleWritten::Stored) => {
                        info!(schedule = %write.id, "a schedule was added or changed")
                    }
                    (None, _) => warn!(schedule = %write.id, removed = remove_orphans,
                        "a schedule stands in the source no longer"),
                }
            }
        }
        Ok(())
    }

    fn is_orphan(&self, schedule: &Schedule) -> bool {
        let package = schedule.definition().and_then(|definition| definition.package.as_deref());
        package.is_some_and(|package| self.packages.contains(package)) && !self.schedules.contains_key(schedule.id())
    }
}

/// How many schedules are written at once.
const BATCH: usize = 500;

fn settle(orphan: &Schedule, remove: bool) -> Option<ScheduleWrite> {
    if remove { Some(orphan.removal()) } else { orphan.mark_orphaned() }
}

/// Writes a schedule that another server has changed meanwhile, most often to what it is to be.
async fn again(client: &Client, id: &ScheduleId, definition: &ScheduleDefinition) -> Result<(), StorageError> {
    match client.recurring().define(id, definition).await {
        Err(ScheduleError::Storage(error)) => Err(error),
        Err(error) => {
            warn!(schedule = %id, %error, "a schedule could not be stored");
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}

/// The id and the definition; nothing for a schedule whose job the server doesn't have.
fn read(
    descriptor: &RecurringDescriptor,
    registry: &Registry,
) -> Result<Option<(ScheduleId, ScheduleDefinition)>, String> {
    let job = (descriptor.job)();
    let Some(handler) = registry.get(&job) else { return Ok(None) };
    let id = descriptor.id.map_or_else(|| job.to_string().into(), std::borrow::Cow::Borrowed);
    let id = ScheduleId::new(id).map_err(|error| error.to_string())?;
    let call = (descriptor.invocation)().map_err(|error| error.to_string())?;
    let cron = CronSchedule::parse(descriptor.cron).map_err(|error| error.to_string())?;
    let mut options = ScheduleOptions::new().tz(descriptor.tz).misfire(descriptor.misfire).overlap(descriptor.overlap);
    options.max_missed = descriptor.max_missed;
    if let Some(queue) = descriptor.queue {
        options = options.queue(queue);
    }
    let definition = ScheduleDefinition::new(&id, &call, &handler.settings, &cron, options);
    let definition = definition.map_err(|error| error.to_string())?;
    Ok(Some((id, definition.declared_by(descriptor.package))))
}
