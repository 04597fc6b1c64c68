//! What a server checks at its start: everything that can be, and all at once.

use std::{collections::BTreeSet, fmt};

use super::{recurring::declared::Declared, shared::Settings};
use crate::{
    job::{DataMap, HandlerDescriptor, QueueName, Registry, Requirements},
    schedule::RecurringDescriptor,
    storage::{ServerId, Storage, StorageError},
};

/// What the builder was told, not yet checked.
#[derive(Debug)]
pub(super) struct Wishes {
    pub(super) queues: Option<Vec<String>>,
    pub(super) elsewhere: Vec<String>,
    pub(super) workers: usize,
    pub(super) id: Option<ServerId>,
}

impl Default for Wishes {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { queues: None, elsewhere: Vec::new(), workers: (processors * 5).min(20), id: None }
    }
}

/// What came out of it.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) queues: Vec<QueueName>,
    pub(super) declared: Declared,
}

/// A server could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The server would not work as it is set up.
    #[error("the server can't start:{}", list(.0))]
    Problems(Vec<Problem>),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The server's thread could not be started.
    #[error("the server's thread can't be started: {0}")]
    Thread(#[source] std::io::Error),
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  - {problem}")).collect()
}

/// One thing that is wrong with a server's set-up.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Problem(String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Far more than any machine runs at once; what is above it is a mistake.
const MOST_WORKERS: usize = 100_000;

/// Checks all wishes against the handlers; `problems` are those that are known before.
pub(super) fn check(
    wishes: &Wishes,
    settings: &Settings,
    registry: &Registry,
    recurring: impl IntoIterator<Item = RecurringDescriptor>,
    data: &DataMap,
    storage: &dyn Storage,
    mut problems: Vec<String>,
) -> Result<Checked, StartError> {
    let declared = Declared::check(recurring, registry, &mut problems);
    let queues = check_queues(wishes, registry, &declared, &mut problems);
    check_handlers(wishes, registry, data, storage, &queues, &mut problems);
    check_schedules(wishes, &declared, &queues, &mut problems);
    if wishes.workers == 0 {
        problems.push("`.workers(0)`: a server needs at least one worker".to_owned());
    }
    if wishes.workers > MOST_WORKERS {
        problems.push(format!("`.workers({})`: a server has at most {MOST_WORKERS} workers", wishes.workers));
    }
    check_times(settings, &mut problems);
    if problems.is_empty() {
        return Ok(Checked { queues, declared });
    }
    problems.sort();
    Err(StartError::Problems(problems.into_iter().map(Problem).collect()))
}

fn check_queues(
    wishes: &Wishes,
    registry: &Registry,
    schedules: &Declared,
    problems: &mut Vec<String>,
) -> Vec<QueueName> {
    for name in &wishes.elsewhere {
        if let Err(error) = QueueName::new(name.as_str()) {
            problems.push(format!("`.queues_elsewhere(…)`: {error}"));
        }
    }
    let Some(wanted) = &wishes.queues else {
        let of_handlers = registry.handlers().map(|handler| handler.settings.queue());
        let of_schedules = schedules.queues().map(|(queue, _, _)| queue);
        let declared: BTreeSet<QueueName> = of_handlers.chain(of_schedules).collect();
        let others = declared.into_iter().filter(|queue| *queue != QueueName::DEFAULT);
        return std::iter::once(QueueName::DEFAULT).chain(others).collect();
    };
    if wanted.is_empty() {
        problems.push("`.queues([])`: a server needs at least one queue".to_owned());
    }
    let mut queues = Vec::new();
    for name in wanted {
        match QueueName::new(name.as_str()) {
            Ok(queue) if queues.contains(&queue) => problems.push(format!("`.queues(…)` names queue `{queue}` twice")),
            Ok(queue) => queues.push(queue),
            Err(error) => problems.push(format!("`.queues(…)`: {error}")),
        }
    }
    queues
}

fn check_handlers(
    wishes: &Wishes,
    registry: &Registry,
    data: &DataMap,
    storage: &dyn Storage,
    queues: &[QueueName],
    problems: &mut Vec<String>,
) {
    for handler in registry.handlers() {
        let (descriptor, queue) = (&handler.descriptor, handler.settings.queue());
        let elsewhere = wishes.elsewhere.iter().any(|name| name == queue.as_str());
        if !queues.contains(&queue) && !elsewhere {
            problems.push(format!(
                "{} uses queue `{queue}`, which this server does not serve; add it to `.queues(…)`, or to \
                 `.queues_elsewhere(…)` if other servers do",
                describe(descriptor)
            ));
        }
        if queues.contains(&queue) {
            let mut requirements = Requirements::default();
            (descriptor.requirements)(&mut requirements);
            let missing = requirements.missing_from(data);
            problems.extend(missing.iter().map(|missing| format!("{} {missing}", describe(descriptor))));
            problems.extend(requirements.not_in(storage.database()).map(|database| {
                format!(
                    "{} takes a `JobTx` of {database}, and the server's storage `{}` is not in {database}; give the server \
                     one that is, or leave queue `{queue}` to a server that has one",
                    describe(descriptor),
                    storage.describe()
                )
            }));
        }
    }
}

fn check_schedules(wishes: &Wishes, schedules: &Declared, queues: &[QueueName], problems: &mut Vec<String>) {
    for (queue, id, location) in schedules.queues() {
        let elsewhere = wishes.elsewhere.iter().any(|name| name == queue.as_str());
        if !queues.contains(&queue) && !elsewhere {
            problems.push(format!(
                "schedule `{id}` ({location}) uses queue `{queue}`, which this server does not serve; add it to \
                 `.queues(…)`, or to `.queues_elsewhere(…)` if other servers do"
            ));
        }
    }
}

fn check_times(settings: &Settings, problems: &mut Vec<String>) {
    if settings.heartbeat_interval.is_zero() || settings.server_timeout <= settings.heartbeat_interval.saturating_mul(2)
    {
        problems.push(format!(
            "`.server_timeout({:?})` must be more than twice `.heartbeat_interval({:?})`, which must not be zero",
            settings.server_timeout, settings.heartbeat_interval
        ));
    }
    for (name, interval) in [
        ("queue_poll_interval", settings.queue_poll_interval),
        ("expiration_check_interval", settings.expiration_check_interval),
        ("counters_aggregation_interval", settings.counters_aggregation_interval),
        ("schedule_poll_interval", Some(settings.schedule_poll_interval)),
    ] {
        if interval.is_some_and(|interval| interval.is_zero()) {
            problems.push(format!("`.{name}(0)`: it must not be zero"));
        }
    }
    if settings.max_lost == 0 {
        problems.push("`.max_lost_runs(0)`: it must be at least 1".to_owned());
    }
}

fn describe(descriptor: &HandlerDescriptor) -> String {
    match descriptor.location {
        Some(location) => format!("job `{}` ({location})", descriptor.name()),
        None => format!("job `{}`", descriptor.name()),
    }
}
