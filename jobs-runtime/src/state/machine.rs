//! The state machine: how a run ended, and what the job's next state is therefore.

use std::time::Duration;

use serde_json::value::RawValue;

use super::{Attempts, Deleted, Enqueued, Failed, Scheduled, State, Succeeded, Transition};
use crate::{
    clock::{Timestamp, after},
    job::{Control, Failure, JobError, OnExceeded, RetryPolicy},
};

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Returned(Box<RawValue>),
    Failed(JobError),
    /// Stopped because its server shuts down.
    Interrupted,
}

/// Why a job is given back by its server.
pub(crate) const SHUT_DOWN: &str = "given back: its server shut down";

/// The run that ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'a> {
    /// 1 for the first.
    pub(crate) attempt: u32,
    pub(crate) retry: &'a RetryPolicy,
    pub(crate) duration: Duration,
    pub(crate) ended_at: Timestamp,
}

/// The move that a run proposes; and whether it may be tried again, if that is a failure.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) transition: Transition,
    pub(crate) again: Again,
}

/// Whether a failure may be tried again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Again {
    Never,
    /// When the job's policy says so.
    ByPolicy,
    /// After this time, if the policy has a retry left.
    After(Duration),
}

impl Candidate {
    /// A move that is no failure.
    pub(crate) fn of(transition: Transition) -> Self {
        Self { transition, again: Again::Never }
    }

    fn failed(failure: Failure, at: Timestamp, again: Again) -> Self {
        Self { transition: failed(failure, at).attempts(Attempts::Spend), again }
    }

    /// A failure becomes a retry, if one is left; `random(bound)` returns a number below `bound`.
    pub(crate) fn retried(self, run: Run<'_>, random: impl FnMut(u64) -> u64) -> Transition {
        let State::Failed(Failed { failure }) = &self.transition.to else { return self.transition };
        let delay = match self.again {
            Again::Never => None,
            Again::After(delay) => (run.attempt <= run.retry.attempts).then_some(delay),
            Again::ByPolicy => run.retry.delay(run.attempt, random),
        };
        let Some(delay) = delay else { return self.exceeded(run) };
        let reason = format!("retry attempt {} of {}: {}", run.attempt, run.retry.attempts, failure.message);
        self.transition.replaced_by(Scheduled { at: after(run.ended_at, delay) }, cut(reason))
    }

    /// What a failure becomes that is not retried.
    fn exceeded(self, run: Run<'_>) -> Transition {
        match (self.again, run.retry.on_exceeded) {
            (Again::ByPolicy | Again::After(_), OnExceeded::Delete) => {
                let reason =
                    format!("none of {} retries is left, and the job is one to be deleted then", run.retry.attempts);
                self.transition.replaced_by(Deleted {}, reason)
            }
            _ => self.transition,
        }
    }
}

/// The move that the end of a run proposes, before anything may replace it.
pub(crate) fn candidate(ended: Ended, run: Run<'_>) -> Candidate {
    let at = run.ended_at;
    let error = match ended {
        Ended::Returned(result) => {
            return Candidate::of(Transition::new(Succeeded { result, duration: run.duration }, at));
        }
        Ended::Interrupted => return Candidate::of(Transition::new(Enqueued {}, at).because(SHUT_DOWN)),
        Ended::Failed(error) => error,
    };
    match error.control() {
        Control::Retry => Candidate::failed(error.into_failure(), at, Again::ByPolicy),
        Control::RetryAfter(delay) => Candidate::failed(error.into_failure(), at, Again::After(delay)),
        Control::Permanent => Candidate::failed(error.into_failure(), at, Again::Never),
        Control::Cancel => {
            Candidate::of(Transition::new(Deleted {}, at).because(message(error)).attempts(Attempts::Spend))
        }
        Control::Snooze(delay) => {
            Candidate::of(Transition::new(Scheduled { at: after(at, delay) }, at).because(message(error)))
        }
    }
}

/// The move of a job that has run, and whose next state the storage refuses.
pub(crate) fn refused(error: JobError, at: Timestamp) -> Transition {
    failed(error.into_failure(), at).attempts(Attempts::Spend)
}

/// What is known of a job whose server died while it held it.
#[derive(Clone, Copy, Debug)]
pub struct Death {
    /// How many of its runs were lost before.
    pub lost: u32,
    /// Whether the server had said that this run begins; it does so only if some were lost before.
    pub begun: bool,
}

/// The move of a job whose server died while it held it: back into its queue, or Failed when that was its lost
/// run number `most`, because then the job is likely to be what kills its servers.
///
/// A job that was lost before and had not begun is innocent: it only waited in a server that another job killed.
#[must_use]
pub fn lost(server: &str, death: Death, most: u32, at: Timestamp) -> Transition {
    if death.lost > 0 && !death.begun {
        let message = format!("server `{server}` stopped beating before it began to run the job");
        return Transition::new(Enqueued {}, at).because(message);
    }
    let run = death.lost.saturating_add(1);
    let message = format!("server `{server}` stopped beating while it ran the job (lost run {run} of at most {most})");
    if run < most {
        return Transition::new(Enqueued {}, at).because(message).attempts(Attempts::Lose);
    }
    failed(Failure::new("lost", message), at).attempts(Attempts::Lose)
}

fn failed(failure: Failure, at: Timestamp) -> Transition {
    Transition::new(Failed { failure: failure.bounded() }, at)
}

/// The whole message as a reason, if it is not too long to be stored.
fn message(error: JobError) -> String {
    error.into_failure().bounded().message
}

/// A reason is one line of a table, so a long error message is cut in it; the failure has it whole.
fn cut(mut reason: String) -> String {
    const MAX_LEN: usize = 300;
    if reason.len() > MAX_LEN {
        reason.truncate(reason.floor_char_boundary(MAX_LEN));
        reason.push('…');
    }
    reason
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Death, Ended, Run, candidate, lost};
    use crate::{
        clock::Timestamp,
        job::{JobError, OnExceeded, RetryPolicy},
        state::{Attempts, State, StateName, Transition},
    };

    const SECOND: Duration = Duration::from_secs(1);

    fn after_run(attempt: u32, retry: &RetryPolicy, ended: Ended) -> Transition {
        let run = Run { attempt, retry, duration: SECOND, ended_at: Timestamp::UNIX_EPOCH };
        candidate(ended, run).retried(run, |_| 0)
    }

    fn due(transition: &Transition) -> i64 {
        match &transition.to {
            State::Scheduled(scheduled) => scheduled.at.timestamp(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_failure_is_retried_until_the_attempts_are_spent() {
        let policy = RetryPolicy::fixed(2, SECOND * 5);
        for attempt in 1..=2 {
            let next = after_run(attempt, &policy, Ended::Failed(JobError::new("no route")));
            assert_eq!((due(&next), next.attempts), (5, Attempts::Spend));
            assert_eq!(next.reason, Some(format!("retry attempt {attempt} of 2: no route")));
            assert_eq!(next.replaced[0].state, StateName::Failed);
        }
        let last = after_run(3, &policy, Ended::Failed(JobError::new("no route")));
        assert_eq!((last.to.name(), last.replaced.len()), (StateName::Failed, 0));
    }

    #[test]
    fn a_job_may_be_deleted_when_its_attempts_are_spent() {
        let policy = RetryPolicy::fixed(1, SECOND).with_on_exceeded(OnExceeded::Delete);
        let end = |attempt, error| after_run(attempt, &policy, Ended::Failed(error));
        assert_eq!(end(1, JobError::new("x")).to.name(), StateName::Scheduled);
        let last = end(2, JobError::new("x"));
        assert_eq!((last.to.name(), last.attempts), (StateName::Deleted, Attempts::Spend));
        assert_eq!(last.replaced[0].state, StateName::Failed);
        assert_eq!(end(2, JobError::retry_after(SECOND, "x")).to.name(), StateName::Deleted);
        assert_eq!(end(1, JobError::permanent("x")).to.name(), StateName::Failed, "it has not exceeded anything");
    }

    #[test]
    fn a_handler_gets_what_it_asks_for() {
        let policy = RetryPolicy::fixed(1, SECOND * 5);
        let ask = |error| after_run(1, &policy, Ended::Failed(error));
        assert_eq!(ask(JobError::permanent("bad order")).to.name(), StateName::Failed);
        let canceled = ask(JobError::cancel("order withdrawn"));
        assert_eq!((canceled.to.name(), canceled.reason.as_deref()), (StateName::Deleted, Some("order withdrawn")));
        let snoozed = ask(JobError::snooze(SECOND * 9));
        assert_eq!((due(&snoozed), snoozed.attempts), (9, Attempts::Keep));
        let retried = ask(JobError::retry_after(SECOND * 7, "busy"));
        assert_eq!((due(&retried), retried.attempts), (7, Attempts::Spend));
        let spent = after_run(2, &policy, Ended::Failed(JobError::retry_after(SECOND, "busy")));
        assert_eq!(spent.to.name(), StateName::Failed);
    }

    #[test]
    fn an_interrupted_run_spends_no_attempt() {
        let back = after_run(1, &RetryPolicy::NONE, Ended::Interrupted);
        assert_eq!((back.to.name(), back.attempts), (StateName::Enqueued, Attempts::Keep));
    }

    #[test]
    fn a_run_out_of_time_is_a_failure_like_any_other() {
        let next = after_run(1, &RetryPolicy::NONE, Ended::Failed(JobError::timed_out(SECOND * 30)));
        let State::Failed(failed) = next.to else { panic!("{next:?}") };
        assert_eq!(
            (failed.failure.error_type.as_str(), failed.failure.message.as_str()),
            ("timeout", "timed out after 30s")
        );
    }

    #[test]
    fn a_job_that_kills_its_servers_ends_in_failed() {
        let at = Timestamp::UNIX_EPOCH;
        let after = |lost_before, begun| lost("s", Death { lost: lost_before, begun }, 3, at);
        assert_eq!((after(0, false).to.name(), after(0, false).attempts), (StateName::Enqueued, Attempts::Lose));
        assert_eq!((after(1, true).to.name(), after(1, true).attempts), (StateName::Enqueued, Attempts::Lose));
        assert_eq!((after(1, false).to.name(), after(1, false).attempts), (StateName::Enqueued, Attempts::Keep));
        assert_eq!(after(2, true).to.name(), StateName::Failed);
        assert_eq!(after(2, false).to.name(), StateName::Enqueued, "it only waited there");
    }

    /// Every move that the state machine decides is one that the states allow.
    #[test]
    fn decisions_keep_to_the_allowed_moves() {
        let endings: [fn() -> Ended; 6] = [
            || Ended::Returned(serde_json::value::to_raw_value(&1).expect("JSON")),
            || Ended::Interrupted,
            || Ended::Failed(JobError::new("x")),
            || Ended::Failed(JobError::permanent("x")),
            || Ended::Failed(JobError::cancel("x")),
            || Ended::Failed(JobError::snooze(SECOND)),
        ];
        for (ended, attempt) in endings.iter().flat_map(|ended| [(ended, 1), (ended, 2)]) {
            let next = after_run(attempt, &RetryPolicy::fixed(1, SECOND), ended());
            assert!(StateName::Processing.next().contains(next.to.name()), "{next:?}");
        }
    }
}
