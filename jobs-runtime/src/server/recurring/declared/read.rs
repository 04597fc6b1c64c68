//! From what `#[recurring]` submits to what is stored.

use std::borrow::Cow;

use crate::{
    client::{Client, ScheduleDefinition},
    job::Registry,
    schedule::{CronSchedule, RecurringDescriptor, ScheduleId, ScheduleOptions},
};

pub(super) fn id(descriptor: &RecurringDescriptor) -> Cow<'static, str> {
    descriptor.id.map_or_else(|| (descriptor.job)().to_string().into(), Cow::Borrowed)
}

/// The id and the definition; nothing for a schedule whose job the server doesn't have.
pub(super) fn schedule(
    descriptor: &RecurringDescriptor,
    registry: &Registry,
) -> Result<Option<(ScheduleId, ScheduleDefinition)>, String> {
    let Some(handler) = registry.get(&(descriptor.job)()) else { return Ok(None) };
    let id = ScheduleId::new(id(descriptor)).map_err(|error| error.to_string())?;
    let call = (descriptor.invocation)().map_err(|error| error.to_string())?;
    check_size(call.arguments())?;
    let cron = CronSchedule::parse(descriptor.cron).map_err(|error| error.to_string())?;
    let definition = ScheduleDefinition::new(&id, &call, &handler.settings, &cron, options(descriptor));
    let definition = definition.map_err(|error| error.to_string())?;
    Ok(Some((id, definition.declared_by(descriptor.package))))
}

fn options(descriptor: &RecurringDescriptor) -> ScheduleOptions {
    let mut options = ScheduleOptions::new().tz(descriptor.tz).misfire(descriptor.misfire).overlap(descriptor.overlap);
    options.max_missed = descriptor.max_missed;
    match descriptor.queue {
        Some(queue) => options.queue(queue),
        None => options,
    }
}

/// The limit is that of the server's client.
fn check_size(arguments: &str) -> Result<(), String> {
    let (bytes, limit) = (arguments.len(), Client::DEFAULT_MAX_PAYLOAD);
    if bytes <= limit {
        return Ok(());
    }
    Err(format!(
        "its arguments are {bytes} bytes of JSON, more than the limit of {limit}: store what is large elsewhere and \
         pass its name"
    ))
}
