use std::{
    any::TypeId,
    collections::{HashMap, HashSet},
};

use super::{HandlerDescriptor, JobError, JobName, JobSettings};

/// All handlers of a server, by every name they answer to.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    handlers: HashMap<JobName, RegisteredHandler>,
}

/// A handler and its settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RegisteredHandler {
    pub(crate) descriptor: HandlerDescriptor,
    pub(crate) settings: JobSettings,
}

/// Two handlers want one name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "two jobs are named `{name}`: one at {first}, one at {second}; give one of them another name with \
     `#[job(name = \"…\")]` (examples of a documentation share one program: mark one `standalone_crate`)"
)]
pub(crate) struct RegistryProblem {
    name: JobName,
    first: String,
    second: String,
}

impl Registry {
    /// Takes in `descriptors`; the same job given twice counts once.
    pub(crate) fn new(descriptors: impl IntoIterator<Item = HandlerDescriptor>) -> (Self, Vec<RegistryProblem>) {
        let mut registry = Self::default();
        let mut seen: HashSet<TypeId> = HashSet::new();
        let mut problems = Vec::new();
        for descriptor in descriptors {
            if seen.insert((descriptor.type_id)()) {
                registry.add(descriptor, &mut problems);
            }
        }
        (registry, problems)
    }

    fn add(&mut self, descriptor: HandlerDescriptor, problems: &mut Vec<RegistryProblem>) {
        let handler = RegisteredHandler { descriptor, settings: (descriptor.settings)() };
        let names = std::iter::once(descriptor.name()).chain(descriptor.aliases.iter().cloned());
        for name in names {
            let Some(first) = self.handlers.insert(name.clone(), handler) else { continue };
            if (first.descriptor.type_id)() != (descriptor.type_id)() {
                let place = |handler: &HandlerDescriptor| {
                    handler.location.map_or_else(|| "a place unknown".to_owned(), |location| location.to_string())
                };
                problems.push(RegistryProblem { name, first: place(&first.descriptor), second: place(&descriptor) });
            }
        }
    }

    pub(crate) fn get(&self, name: &JobName) -> Option<&RegisteredHandler> {
        self.handlers.get(name)
    }

    pub(crate) fn handlers(&self) -> impl Iterator<Item = &RegisteredHandler> {
        self.handlers.iter().filter(|(name, handler)| **name == handler.descriptor.name()).map(|(_, handler)| handler)
    }

    /// The error of a stored job whose name no handler answers to.
    pub(crate) fn unknown(&self, name: &JobName) -> JobError {
        let mut known: Vec<String> = self.handlers.keys().map(ToString::to_string).collect();
        known.sort_unstable();
        let wanted = name.to_string();
        let near = known
            .iter()
            .map(|candidate| (strsim::normalized_damerau_levenshtein(&wanted, candidate), candidate))
            .filter(|(likeness, _)| *likeness > 0.6)
            .max_by(|(a, _), (b, _)| a.total_cmp(b));
        let hint = near.map_or_else(String::new, |(_, candidate)| {
            format!("; if it was renamed to `{candidate}`, add `aliases(\"{wanted}\")` there")
        });
        JobError::new(UnknownJob(format!(
            "no handler is registered for job `{wanted}`{hint}; known: {}",
            if known.is_empty() { "none".to_owned() } else { known.join(", ") }
        )))
    }
}

/// A stored name that no handler of the server answers to.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct UnknownJob(String);
