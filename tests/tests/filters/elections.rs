//! Where a job's next state is decided.

use std::time::Duration;

use jobs_runtime::{
    client::ChangeError,
    filter::{Application, Election, Filter, FilterResult},
    prelude::*,
    state::{Deleted, Failed, Scheduled, State, StateName},
};
use jobs_tests::on_each_storage;

use crate::trace::Trace;

const TEN_SECONDS: Duration = Duration::from_secs(10);
const DAY: Duration = Duration::from_secs(24 * 3600);

#[job(retry(attempts = 2, fixed = "20s"))]
async fn divide(a: i64, b: i64) -> Result<i64, String> {
    a.checked_div(b).ok_or_else(|| "division by zero".to_owned())
}

/// Elects another state for one candidate.
struct Elect {
    order: i32,
    candidate: StateName,
    instead: fn(&Election) -> State,
}

#[async_trait::async_trait]
impl Filter for Elect {
    fn order(&self) -> i32 {
        self.order
    }

    async fn elect(&self, election: &mut Election) -> FilterResult {
        if election.candidate().name() == self.candidate {
            let state = (self.instead)(election);
            election.elect(state, "elected")?;
            election.set_parameter("elected", &self.candidate)?;
        }
        Ok(())
    }
}

/// Keeps jobs for a week, and failed ones for ever.
struct Keep;

#[async_trait::async_trait]
impl Filter for Keep {
    fn applied(&self, application: &mut Application<'_>) -> FilterResult {
        match application.state() {
            State::Deleted(_) => application.keep_forever(),
            _ => application.keep_for(DAY * 7),
        }
        application.set_parameter("left", &application.from())?;
        Ok(())
    }
}

#[job]
async fn greet() {}

/// Counts runs as they begin.
struct Note;

#[async_trait::async_trait]
impl Filter for Note {
    fn applied(&self, application: &mut Application<'_>) -> FilterResult {
        if matches!(application.state(), State::Processing(_)) {
            let runs: u32 = application.job().parameters().get("runs")?.unwrap_or(0);
            application.set_parameter("runs", &(runs + 1))?;
        }
        Ok(())
    }
}

fn deleted(_: &Election) -> State {
    Deleted {}.into()
}

on_each_storage! {
    async fn a_filter_before_the_retry_sees_the_failure(world: World) {
        let elect = Elect { order: 19, candidate: StateName::Failed, instead: deleted };
        let server = world.server().register::<Divide>().filter(elect).start().await.expect("started");
        let job = world.client.enqueue(Divide::new(1, 0)).await.expect("stored");
        let details = world.until(&job, StateName::Deleted).await;
        let history: Vec<StateName> = details.history.iter().map(|entry| entry.state).collect();
        assert_eq!(history, [StateName::Enqueued, StateName::Processing, StateName::Failed, StateName::Deleted]);
        assert_eq!(details.history[2].data["message"], "division by zero", "the replaced candidate is history");
        assert_eq!(details.history[3].reason.as_deref(), Some("elected"));
        assert_eq!(details.parameters.get("elected").expect("a state"), Some(StateName::Failed));
        assert_eq!(details.job.attempts, 1);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_filter_after_the_retry_sees_the_retry(world: World) {
        let elect = Elect { order: 21, candidate: StateName::Scheduled, instead: deleted };
        let server = world.server().register::<Divide>().filter(elect).start().await.expect("started");
        let job = world.client.enqueue(Divide::new(1, 0)).await.expect("stored");
        let details = world.until(&job, StateName::Deleted).await;
        let history: Vec<StateName> = details.history.iter().skip(2).map(|entry| entry.state).collect();
        assert_eq!(history, [StateName::Failed, StateName::Scheduled, StateName::Deleted]);
        assert_eq!(details.history[3].reason.as_deref(), Some("retry attempt 1 of 2: division by zero"));
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_success_that_is_elected_to_fail_is_retried(world: World) {
        let failed = |_: &Election| Failed { failure: jobs_runtime::job::Failure::new("audit", "too good") }.into();
        let elect = Elect { order: -1, candidate: StateName::Succeeded, instead: failed };
        let server = world.server().register::<Divide>().filter(elect).start().await.expect("started");
        let job = world.client.enqueue(Divide::new(6, 2)).await.expect("stored");
        let details = world.until(&job, StateName::Scheduled).await;
        let history: Vec<StateName> = details.history.iter().skip(2).map(|entry| entry.state).collect();
        assert_eq!(history, [StateName::Succeeded, StateName::Failed, StateName::Scheduled]);
        assert_eq!(details.job.attempts, 1);
        world.clock.advance(Duration::from_secs(20));
        world.until_nth(&job, StateName::Scheduled, 2).await;
        world.clock.advance(Duration::from_secs(20));
        assert_eq!(world.until(&job, StateName::Failed).await.job.attempts, 3);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_job_can_be_sent_elsewhere_before_it_runs(world: World) {
        let later = |election: &Election| Scheduled { at: election.job().created_at() + DAY }.into();
        let elect = Elect { order: -1, candidate: StateName::Processing, instead: later };
        let trace = Trace::default();
        let server = world.server().register::<Divide>().filter(elect).filter(trace.filter("a"));
        let server = server.start().await.expect("started");
        let job = world.client.enqueue(Divide::new(6, 2)).await.expect("stored");
        let details = world.until(&job, StateName::Scheduled).await;
        assert_eq!(details.job.attempts, 0);
        let history: Vec<StateName> = details.history.iter().map(|entry| entry.state).collect();
        assert_eq!(history, [StateName::Enqueued, StateName::Processing, StateName::Scheduled]);
        assert!(!trace.take().iter().any(|line| line.contains("perform")));
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn what_is_applied_is_written_with_the_move(world: World) {
        let server = world.server().register::<Divide>().filter(Keep).start().await.expect("started");
        let job = world.client.enqueue(Divide::new(6, 2)).await.expect("stored");
        let details = world.until(&job, StateName::Succeeded).await;
        let at = details.history.last().expect("history").at;
        assert_eq!(details.expires_at, Some(at + DAY * 7));
        assert_eq!(details.parameters.get("left").expect("a state"), Some(StateName::Processing));
        let client = world.client.with_filter(Keep);
        client.requeue(&job).await.expect("requeued");
        world.until_nth(&job, StateName::Succeeded, 2).await;
        let waiting = client.enqueue(Divide::new(6, 2)).delay(DAY).await.expect("stored");
        client.delete(&waiting).await.expect("deleted");
        let details = world.details(&waiting).await;
        assert_eq!((details.job.state, details.expires_at), (StateName::Deleted, None));
        assert_eq!(details.parameters.get("left").expect("a state"), Some(StateName::Scheduled));
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn what_a_filter_notes_before_the_run_is_there_at_the_next(world: World) {
        let server = world.server().register::<Divide>().filter(Note).start().await.expect("started");
        let job = world.client.enqueue(Divide::new(1, 0)).await.expect("stored");
        for runs in 1..=3_u32 {
            let state = if runs == 3 { StateName::Failed } else { StateName::Scheduled };
            let details = world.until_nth(&job, state, if runs == 3 { 1 } else { runs as usize }).await;
            assert_eq!(details.parameters.get("runs").expect("a number"), Some(runs));
            world.clock.advance(Duration::from_secs(20));
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_job_that_is_sent_back_goes_to_the_end_of_its_queue(world: World) {
        let patient = |_: &Election| State::from(jobs_runtime::state::Enqueued {});
        let elect = Elect { order: -1, candidate: StateName::Processing, instead: patient };
        let server = world.server().register::<Divide>().register::<Greet>().workers(1).filter_for::<Divide>(elect);
        let server = server.start().await.expect("started");
        let stuck: Vec<_> = (0..30).map(|n| Divide::new(n, 1)).collect();
        let stuck = world.client.enqueue_all(stuck).await.expect("stored");
        let other = world.client.enqueue(Greet::new()).await.expect("stored");
        other.wait(TEN_SECONDS).await.expect("its turn comes");
        for job in &stuck {
            world.client.delete(job).await.expect("deleted");
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_move_by_hand_is_elected_too(world: World) {
        let later = |election: &Election| Scheduled { at: election.job().created_at() + DAY }.into();
        let elect = Elect { order: -1, candidate: StateName::Deleted, instead: later };
        let client = world.client.with_filter(elect);
        let job = client.enqueue(Divide::new(6, 2)).await.expect("stored");
        let error = client.delete(&job).await.expect_err("it was not deleted");
        assert!(matches!(error, ChangeError::Elected { state: StateName::Scheduled, .. }), "{error}");
        let details = world.details(&job).await;
        let history: Vec<StateName> = details.history.iter().map(|entry| entry.state).collect();
        assert_eq!(history, [StateName::Enqueued, StateName::Deleted, StateName::Scheduled]);
        assert_eq!(details.history[1].reason.as_deref(), Some("deleted by hand"));
    }

    async fn a_filter_that_fails_in_an_election_fails_the_job_for_good(world: World) {
        for (hook, panics) in [("leaves", false), ("enters", false), ("enters", true)] {
            let trace = Trace::default();
            let bad = trace.filter("b").fails(hook);
            let bad = if panics { bad.panics() } else { bad };
            let server = world.server().register::<Divide>().filter(bad).start().await.expect("started");
            let job = world.client.enqueue(Divide::new(6, 2)).await.expect("stored");
            let details = world.until(&job, StateName::Failed).await;
            let last = details.history.last().expect("history");
            assert_eq!(last.reason.as_deref(), Some("a filter failed while the job's next state was elected"));
            let message = if panics { "filter b failed: b panics" } else { "filter b failed: b is out of order" };
            assert_eq!(last.data["message"], message);
            server.shutdown(TEN_SECONDS).await.expect("shut down");
        }
    }

    async fn a_state_that_can_not_follow_is_not_elected(world: World) {
        let processing = |_: &Election| State::from(jobs_runtime::state::Processing { server: "x".into(), attempt: 1 });
        let elect = Elect { order: -1, candidate: StateName::Succeeded, instead: processing };
        let server = world.server().register::<Divide>().filter(elect).start().await.expect("started");
        let job = world.client.enqueue(Divide::new(6, 2)).await.expect("stored");
        let details = world.until(&job, StateName::Failed).await;
        let message = details.history.last().expect("history").data["message"].to_string();
        assert!(message.contains("is processing and can't be elected to become processing"), "{message}");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }
}
