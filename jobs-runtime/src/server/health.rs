use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// How a server's background processes fare.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Health {
    /// Those that have failed at least once, by name.
    pub processes: BTreeMap<&'static str, ProcessHealth>,
}

/// How one background process fares.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct ProcessHealth {
    /// Whether it fails at present.
    pub failing: bool,
    /// How often it failed in all.
    pub failures: u64,
    /// Its last error.
    pub last_error: String,
}

impl Health {
    /// Whether nothing fails at present.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.processes.values().all(|process| !process.failing)
    }
}

#[derive(Debug, Default)]
pub(super) struct HealthBoard(Mutex<Health>);

impl HealthBoard {
    pub(super) fn snapshot(&self) -> Health {
        self.lock().clone()
    }

    /// Notes an error; returns whether it is news, because before there was none.
    pub(super) fn failed(&self, process: &'static str, error: &dyn std::fmt::Display) -> bool {
        let mut health = self.lock();
        let process = health.processes.entry(process).or_default();
        process.failures += 1;
        process.last_error = error.to_string();
        !std::mem::replace(&mut process.failing, true)
    }

    pub(super) fn recovered(&self, process: &'static str) {
        if let Some(process) = self.lock().processes.get_mut(process) {
            process.failing = false;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Health> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
