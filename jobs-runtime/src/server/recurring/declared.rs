//! The schedules that stand in the source: checked when a server starts, and written to its storage.

use std::collections::{BTreeMap, HashSet};

use tracing::{info, warn};

use crate::{
    client::{Client, Defined, Schedule, ScheduleDefinition, ScheduleError},
    job::{Location, QueueName, Registry},
    schedule::{CronSchedule, RecurringDescriptor, ScheduleId, ScheduleOptions},
    storage::StorageError,
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

    /// Writes them to the storage, and marks or removes those that the program's packages declared earlier.
    pub(in crate::server) async fn store(&self, client: &Client, remove_orphans: bool) -> Result<(), StorageError> {
        for (id, (definition, _)) in &self.schedules {
            match client.recurring().define(id, definition).await {
                Ok(Defined::Unchanged) => {}
                Ok(defined) => {
                    info!(schedule = %id, cron = definition.cron, tz = definition.tz, "schedule {defined:?}")
                }
                Err(ScheduleError::Storage(error)) => return Err(error),
                // Other servers write at the same time, and what they write is the same or as good.
                Err(error) => warn!(schedule = %id, %error, "a schedule could not be stored"),
            }
        }
        let found = client.recurring().list().await?;
        for orphan in found.iter().filter(|schedule| self.is_orphan(schedule)) {
            self.settle(client, orphan, remove_orphans).await?;
        }
        Ok(())
    }

    fn is_orphan(&self, schedule: &Schedule) -> bool {
        let package = schedule.definition().and_then(|definition| definition.package.as_deref());
        package.is_some_and(|package| self.packages.contains(package)) && !self.schedules.contains_key(schedule.id())
    }

    async fn settle(&self, client: &Client, orphan: &Schedule, remove: bool) -> Result<(), StorageError> {
        let write = if remove { Some(orphan.removal()) } else { orphan.mark_orphaned() };
        let Some(write) = write else { return Ok(()) };
        client.storage().write_schedules(vec![write]).await?;
        let done = if remove { "it is removed" } else { "it goes on until someone removes it" };
        warn!(schedule = %orphan.id(), "a schedule stands in the source no longer; {done}");
        Ok(())
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
