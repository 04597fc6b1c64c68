use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::{
    clock::Timestamp,
    job::{JobId, QueueName, Recurrence},
    schedule::ScheduleId,
    state::{HistoryEntry, State},
    storage::{
        ClaimToken, DueCursor, NewJob, Retention, ServerId, ServerRecord, Statistics, StoredSchedule, signals::Effects,
    },
};

/// All jobs, and one ordered index a state.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) jobs: BTreeMap<JobId, Row>,
    /// By queue: rank (negative priority), age, id.
    pub(super) ready: BTreeMap<QueueName, BTreeSet<(i32, u64, JobId)>>,
    /// The jobs of every other state, by the time that orders them.
    pub(super) index: [BTreeSet<(Timestamp, JobId)>; 7],
    pub(super) schedules: BTreeMap<ScheduleId, StoredSchedule>,
    /// Those that will be due, by time.
    pub(super) due_schedules: BTreeSet<DueCursor>,
    /// The slots that have a job.
    pub(super) slots: HashSet<Recurrence>,
    pub(super) servers: BTreeMap<ServerId, (ServerRecord, Timestamp)>,
    /// By hour.
    pub(super) statistics: BTreeMap<i64, Statistics>,
    pub(super) children: HashMap<JobId, Vec<JobId>>,
    /// Who has each, and until when.
    pub(super) locks: BTreeMap<String, (String, Timestamp)>,
    pub(super) expiring: BTreeSet<(Timestamp, JobId)>,
    pub(super) retention: Retention,
    /// What the storage's clock showed when the verb began.
    pub(super) now: Timestamp,
    sequence: u64,
    pub(super) effects: Effects,
}

/// A stored job.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) job: NewJob,
    pub(super) state: State,
    pub(super) state_at: Timestamp,
    pub(super) spent: u32,
    pub(super) lost: u32,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) history: Vec<HistoryEntry>,
    pub(super) age: u64,
    pub(super) claim: Option<(ClaimToken, ServerId)>,
    /// The delivery whose success is the job's state.
    pub(super) succeeded_by: Option<ClaimToken>,
    /// Whether the server said that the run begins.
    pub(super) begun: bool,
}

impl Tables {
    pub(super) fn new(retention: Retention) -> Self {
        Self {
            jobs: BTreeMap::new(),
            ready: BTreeMap::new(),
            index: Default::default(),
            schedules: BTreeMap::new(),
            due_schedules: BTreeSet::new(),
            slots: HashSet::new(),
            servers: BTreeMap::new(),
            statistics: BTreeMap::new(),
            children: HashMap::new(),
            locks: BTreeMap::new(),
            expiring: BTreeSet::new(),
            retention,
            now: Timestamp::UNIX_EPOCH,
            sequence: 0,
            effects: Effects::default(),
        }
    }

    pub(super) fn take_effects(&mut self) -> Effects {
        std::mem::take(&mut self.effects)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}
