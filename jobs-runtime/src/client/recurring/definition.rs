use std::collections::HashMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::IgnoredAny};
use serde_json::value::RawValue;

use super::{ScheduleError, same_json::same_json};
use crate::{
    job::{ArgumentsError, Invocation, JobName, JobSettings, QueueName},
    schedule::{CronSchedule, Misfire, Overlap, ScheduleId, ScheduleOptions, Timetable},
};

/// What a schedule runs and when, as it is stored.
///
/// Everything is kept as it was written, also what this version of the library can't read: then
/// [`Schedule::error`](super::Schedule::error) says so, and the schedule is left to those who can.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScheduleDefinition {
    /// The type under which the job is stored.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The method under which the job is stored.
    pub method: String,
    /// The arguments of each call: JSON.
    #[serde(serialize_with = "as_json", deserialize_with = "json_as_text")]
    pub arguments: String,
    /// Which version of the job's arguments these are; 1 if nothing else is said.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub version: u32,
    /// The cron expression.
    pub cron: String,
    /// The name of the time zone.
    pub tz: String,
    /// The queue of its jobs.
    pub queue: String,
    /// Their priority.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: i16,
    /// What becomes of missed slots: `relaxed`, `strict` or `ignorable`.
    #[serde(default = "relaxed", skip_serializing_if = "is_relaxed")]
    pub misfire: String,
    /// How many missed slots are made up for, if that was said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub max_missed: Option<u32>,
    /// What happens while an earlier job has not ended: `allow` or `skip`.
    #[serde(default = "allow", skip_serializing_if = "is_allow")]
    pub overlap: String,
    /// The package in whose source it stands; `None` if it was added at run time.
    #[serde(default, skip_serializing_if = "is_default")]
    pub package: Option<String>,
    /// What a later version has added, by name.
    #[serde(skip)]
    unknown: Vec<String>,
}

/// The names of the fields above.
const KNOWN: [&str; 12] = [
    "type",
    "method",
    "arguments",
    "version",
    "cron",
    "tz",
    "queue",
    "priority",
    "misfire",
    "max_missed",
    "overlap",
    "package",
];

/// How a definition is to be followed, read from its texts.
#[derive(Clone, Debug)]
pub(crate) struct Timing {
    pub(crate) timetable: Timetable,
    pub(crate) misfire: Misfire,
    pub(crate) max_missed: u32,
    pub(crate) overlap: Overlap,
}

impl ScheduleDefinition {
    /// Checks everything that is to be stored.
    pub(crate) fn new(
        id: &ScheduleId,
        call: &Invocation,
        settings: &JobSettings,
        cron: &CronSchedule,
        options: ScheduleOptions,
    ) -> Result<Self, ScheduleError> {
        let tz = options.tz.map_err(|source| ScheduleError::Zone { id: id.clone(), source })?;
        let queue = match options.queue {
            Some(queue) => queue.map_err(|source| ScheduleError::Queue { id: id.clone(), source })?,
            None => settings.queue(),
        };
        if let Some(found) = options.max_missed {
            check_max_missed(id, found, options.misfire)?;
        }
        Ok(Self {
            type_name: call.name().type_name().to_owned(),
            method: call.name().method().to_owned(),
            arguments: call.arguments().to_owned(),
            version: call.version(),
            cron: cron.to_string(),
            tz: tz.name().to_owned(),
            queue: queue.to_string(),
            priority: settings.priority,
            misfire: options.misfire.as_str().to_owned(),
            max_missed: options.max_missed,
            overlap: options.overlap.as_str().to_owned(),
            package: None,
            unknown: Vec::new(),
        })
    }

    /// Whether nothing differs. The arguments need not be the same text: the fields of a `HashMap` come in another order
    /// each time.
    pub(crate) fn says_the_same_as(&self, other: &Self) -> bool {
        let same_text = Self { arguments: self.arguments.clone(), ..other.clone() };
        *self == same_text && same_json(&self.arguments, &other.arguments)
    }

    /// Reads a stored definition; the error says why it can't be.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut definition: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let fields: HashMap<String, IgnoredAny> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        definition.unknown = fields.into_keys().filter(|name| !KNOWN.contains(&name.as_str())).collect();
        definition.unknown.sort_unstable();
        Ok(definition)
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers, and arguments that are JSON")
    }

    /// The same, as standing in the source of `package`.
    pub(crate) fn declared_by(mut self, package: &str) -> Self {
        self.package = Some(package.to_owned());
        self
    }

    /// The job's name.
    #[must_use]
    pub fn job(&self) -> JobName {
        JobName::stored(self.type_name.clone(), self.method.clone())
    }

    pub(crate) fn queue(&self) -> QueueName {
        QueueName::stored(self.queue.clone())
    }

    pub(crate) fn invocation(&self) -> Result<Invocation, ArgumentsError> {
        Ok(Invocation::stored(self.job(), self.arguments.clone())?.with_version(self.version))
    }

    /// Whether slots are skipped while an earlier job has not ended.
    pub(crate) fn skips(&self) -> bool {
        self.overlap == Overlap::Skip.as_str()
    }

    /// When it fires; the error says why this version can't tell.
    pub(crate) fn timetable(&self) -> Result<Timetable, String> {
        let cron = CronSchedule::parse(&self.cron).map_err(|error| error.to_string())?;
        let tz = jobs_cron::zone(&self.tz).map_err(|error| error.to_string())?;
        Ok(Timetable { cron, tz })
    }

    /// All of how it is to be followed; the error says what this version can't follow.
    pub(crate) fn timing(&self) -> Result<Timing, String> {
        if let [name, ..] = self.unknown.as_slice() {
            return Err(format!("its option `{name}` is not known to this version of jobs-runtime"));
        }
        let unknown = |option: &str, found: &str| {
            format!("`{found}` of its option `{option}` is not known to this version of jobs-runtime")
        };
        let max_missed = self.max_missed.unwrap_or(ScheduleOptions::DEFAULT_MAX_MISSED);
        if !is_possible(max_missed) {
            return Err(format!("`{max_missed}` of its option `max_missed` is out of range: use 1 to 10,000"));
        }
        Ok(Timing {
            timetable: self.timetable()?,
            misfire: Misfire::from_name(&self.misfire).ok_or_else(|| unknown("misfire", &self.misfire))?,
            max_missed,
            overlap: Overlap::from_name(&self.overlap).ok_or_else(|| unknown("overlap", &self.overlap))?,
        })
    }
}

fn check_max_missed(id: &ScheduleId, found: u32, misfire: Misfire) -> Result<(), ScheduleError> {
    let reason = if misfire != Misfire::Strict {
        "it is for `Misfire::Strict` only"
    } else if !is_possible(found) {
        "use 1 to 10,000"
    } else {
        return Ok(());
    };
    Err(ScheduleError::MaxMissed { id: id.clone(), found, reason })
}

fn is_possible(max_missed: u32) -> bool {
    (1..=ScheduleOptions::LARGEST_MAX_MISSED).contains(&max_missed)
}

fn as_json<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let json: &RawValue = serde_json::from_str(text).map_err(serde::ser::Error::custom)?;
    json.serialize(serializer)
}

fn json_as_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Box::<RawValue>::deserialize(deserializer)?.get().to_owned())
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn first() -> u32 {
    1
}

fn is_first(version: &u32) -> bool {
    *version == 1
}

fn relaxed() -> String {
    Misfire::Relaxed.as_str().to_owned()
}

fn is_relaxed(text: &str) -> bool {
    text == Misfire::Relaxed.as_str()
}

fn allow() -> String {
    Overlap::Allow.as_str().to_owned()
}

fn is_allow(text: &str) -> bool {
    text == Overlap::Allow.as_str()
}
