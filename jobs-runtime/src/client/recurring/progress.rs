use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{clock::Timestamp, job::JobId};

/// How far a schedule has come, as it is stored.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) created_at: Timestamp,
    /// The slots up to here are done with.
    pub(crate) base: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_run: Option<LastRun>,
    /// The last slot that became a job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_slot: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) skipped: Option<Timestamp>,
    /// If slots are to be skipped while an earlier job runs: jobs of slots and triggers of which it is not known that they
    /// have ended, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) unended: Vec<JobId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dropped: Option<DroppedSlots>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<ScheduleFault>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) paused: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) orphaned: bool,
    /// What a later version has added, which is to stay.
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// The last time a schedule made a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LastRun {
    /// The job.
    pub job: JobId,
    /// Its slot; `None` if it was triggered by hand.
    pub slot: Option<Timestamp>,
    /// When the job was made.
    pub at: Timestamp,
}

/// Missed slots that were dropped, because they were more than are made up for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DroppedSlots {
    /// The first of them.
    pub first: Timestamp,
    /// The first slot after them, which was made up for.
    pub until: Timestamp,
    /// When that was.
    pub at: Timestamp,
}

/// Why a schedule makes no jobs though it is due.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScheduleFault {
    /// What is wrong, and who says so.
    pub message: String,
    /// Since when a server has told so; `None` if none has yet, and it was found by looking at the schedule.
    pub since: Option<Timestamp>,
}

impl ScheduleFault {
    pub(crate) fn new(message: String, since: Option<Timestamp>) -> Self {
        Self { message, since }
    }
}

impl Progress {
    /// That of a schedule that is new at `now`: a slot exactly then is its first, as in Hangfire.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            created_at: now,
            base: now - TimeDelta::seconds(1),
            last_run: None,
            last_slot: None,
            skipped: None,
            unended: Vec::new(),
            dropped: None,
            error: None,
            paused: false,
            orphaned: false,
            rest: Map::new(),
        }
    }

    /// Counts from `now` on, as after a change: what was missed before is not made up for, and what has run does not run
    /// again. A slot after `now` stems from a clock that was wrong.
    pub(crate) fn restart(&mut self, now: Timestamp) {
        let past = self.last_slot.filter(|slot| *slot <= now);
        let second_before = now - TimeDelta::seconds(1);
        self.base = past.map_or(second_before, |slot| slot.max(second_before));
        self.error = None;
    }

    /// Whether its slots are done with far beyond `now`: then it was written by a clock that was ahead, and nothing would
    /// come of it until that time.
    pub(crate) fn is_ahead_of(&self, now: Timestamp) -> bool {
        self.base - now > AHEAD
    }

    /// The jobs on whose end it depends whether a slot is skipped. The last one may have been made when it was not to be.
    pub(crate) fn awaited(&self) -> Vec<JobId> {
        let last = self.last_run.map(|run| run.job).filter(|job| !self.unended.contains(job));
        self.unended.iter().copied().chain(last).collect()
    }

    /// Keeps of which jobs it is not known that they have ended; of very many triggers the newest.
    pub(crate) fn keep_unended(&mut self, jobs: impl IntoIterator<Item = JobId>) {
        self.unended = jobs.into_iter().collect();
        let too_many = self.unended.len().saturating_sub(MOST_UNENDED);
        self.unended.drain(..too_many);
    }

    /// Reads what is stored; the error says why it can't be.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("times, texts and ids")
    }
}

/// Of how many jobs a schedule keeps that they may not have ended.
const MOST_UNENDED: usize = 100;

/// By how much the clocks of servers may differ without that one of them counts as wrong.
const AHEAD: TimeDelta = TimeDelta::hours(1);

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::Progress;
    use crate::clock::Timestamp;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).expect("a time")
    }

    #[test]
    fn what_a_later_version_added_is_kept() {
        let text = r#"{"created_at":"2026-01-01T00:00:00Z","base":"2026-01-01T00:00:00Z","moon":{"phase":3}}"#;
        let progress = Progress::read(text).expect("readable");
        assert!(progress.to_json().contains(r#""moon":{"phase":3}"#), "{}", progress.to_json());
        assert_eq!(Progress::read(&progress.to_json()).expect("readable"), progress);
    }

    #[test]
    fn a_restart_counts_from_now_but_runs_no_slot_twice() {
        let mut progress = Progress::new(at(100));
        assert_eq!(progress.base, at(99));
        progress.restart(at(500));
        assert_eq!(progress.base, at(499));
        progress.last_slot = Some(at(600));
        progress.restart(at(600));
        assert_eq!(progress.base, at(600), "the slot of this second has run");
        progress.restart(at(550));
        assert_eq!(progress.base, at(549), "a slot to come can't have run");
    }

    #[test]
    fn clocks_may_differ_by_an_hour() {
        let progress = Progress::new(at(10_001));
        assert!(!progress.is_ahead_of(at(10_000 - 3600)));
        assert!(progress.is_ahead_of(at(10_000 - 3601)));
    }
}
