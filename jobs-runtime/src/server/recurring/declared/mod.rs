//! The schedules that stand in the source: checked when a server starts, and written to its storage.

mod plan;
mod read;
mod store;

use std::collections::{BTreeMap, HashSet};

use crate::{
    client::{Schedule, ScheduleDefinition},
    job::{Location, QueueName, Registry},
    schedule::{RecurringDescriptor, ScheduleId},
};

/// The schedules of a program, checked.
#[derive(Debug, Default)]
pub(in crate::server) struct Declared {
    /// Those of the jobs that the server has.
    schedules: BTreeMap<ScheduleId, (ScheduleDefinition, Location)>,
    /// The ids of all schedules that are linked into the program.
    linked: HashSet<String>,
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
        let mut declared = Self { packages: of_handlers.collect(), ..Self::default() };
        for descriptor in descriptors {
            declared.packages.insert(descriptor.package);
            declared.linked.insert(read::id(&descriptor).into_owned());
            match read::schedule(&descriptor, registry) {
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

    /// Whether a schedule stood in the source of one of the packages, and stands there no longer. That the server lacks
    /// its job means nothing: another server of the program may have it.
    fn is_orphan(&self, schedule: &Schedule) -> bool {
        let package = schedule.definition().and_then(|definition| definition.package.as_deref());
        package.is_some_and(|package| self.packages.contains(package)) && !self.linked.contains(schedule.id().as_str())
    }
}
