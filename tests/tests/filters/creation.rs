//! Round the creation of jobs.

use std::time::Duration;

use jobs_runtime::{
    filter::{Creating, Filter, FilterResult},
    job::QueueName,
    prelude::*,
    state::StateName,
    storage::{Initial, JobFilter, PageRequest},
};
use jobs_tests::{World, on_each_storage};

use crate::trace::Trace;

#[job]
async fn greet(name: String) -> String {
    format!("hello {name}")
}

#[job]
async fn wave() {}

/// Sends jobs elsewhere, later, and with a note.
struct Redirect;

#[async_trait::async_trait]
impl Filter for Redirect {
    async fn creating(&self, creating: &mut Creating) -> FilterResult {
        let job = creating.job_mut();
        job.queue = QueueName::new("elsewhere")?;
        job.initial = Initial::Scheduled(job.created_at + Duration::from_secs(24 * 3600));
        job.parameters.set("redirected", &true)?;
        Ok(())
    }
}

async fn stored(world: &World) -> usize {
    world.storage.jobs(&JobFilter::all(), &PageRequest::first(100)).await.expect("read").jobs.len()
}

on_each_storage! {
    async fn filters_stand_round_each_other_when_a_job_is_created(world: World) {
        let trace = Trace::default();
        let client = world.client.with_filter(trace.filter("b")).with_filter(trace.filter("c").order(5));
        let client = client.with_filter(trace.filter("a").order(-2));
        client.enqueue(Greet::new("Ada")).await.expect("stored");
        let expected = ["a creating", "b creating", "c creating", "c created", "b created", "a created"];
        assert_eq!(trace.take(), expected);
        assert_eq!(stored(&world).await, 1);
    }

    async fn a_canceled_job_is_not_stored_and_inner_filters_are_not_asked(world: World) {
        let trace = Trace::default();
        let client = world.client.with_filter(trace.filter("a")).with_filter(trace.filter("b").cancels());
        let client = client.with_filter(trace.filter("c"));
        let error = client.enqueue(Greet::new("Ada")).await.expect_err("canceled");
        assert!(matches!(error, EnqueueError::Canceled { filter: "b", .. }), "{error:?}");
        assert!(error.to_string().ends_with("was canceled by filter b before it was stored"), "{error}");
        assert_eq!(trace.take(), ["a creating", "b creating", "a created canceled"]);
        assert_eq!(stored(&world).await, 0);
    }

    async fn a_filter_that_fails_keeps_a_job_from_being_stored(world: World) {
        let trace = Trace::default();
        let client = world.client.with_filter(trace.filter("a")).with_filter(trace.filter("b").fails("creating"));
        let error = client.enqueue(Greet::new("Ada")).await.expect_err("failed");
        let source = std::error::Error::source(&error).expect("a source").to_string();
        assert_eq!(source, "b is out of order");
        assert_eq!(trace.take().len(), 3);
        assert_eq!(stored(&world).await, 0);
    }

    async fn a_job_stays_stored_though_a_filter_fails_afterwards(world: World) {
        let trace = Trace::default();
        let client = world.client.with_filter(trace.filter("a")).with_filter(trace.filter("b").fails("created"));
        client.enqueue(Greet::new("Ada")).await.expect("stored");
        assert_eq!(trace.take(), ["a creating", "b creating", "b created", "a created"]);
        assert_eq!(stored(&world).await, 1);
    }

    async fn a_filter_changes_where_and_when_a_job_runs(world: World) {
        let client = world.client.with_filter_for::<Greet>(Redirect);
        let redirected = client.enqueue(Greet::new("Ada")).await.expect("stored");
        let details = world.details(&redirected).await;
        assert_eq!((details.job.state, details.job.queue.as_str()), (StateName::Scheduled, "elsewhere"));
        assert_eq!(details.parameters.get("redirected").expect("a bool"), Some(true));
        let other = client.enqueue(Wave::new()).await.expect("stored");
        assert_eq!(world.details(&other).await.job.queue.as_str(), "default", "the filter is of one job");
    }

    async fn of_many_jobs_none_is_stored_if_one_is_canceled(world: World) {
        let trace = Trace::default();
        let client = world.client.with_filter(trace.filter("a")).with_filter_for::<Wave>(trace.filter("b").cancels());
        let jobs = || [client.prepare(call(&Greet::new("Ada"))), client.prepare(call(&Wave::new()))];
        let jobs = jobs().into_iter().collect::<Result<Vec<_>, _>>().expect("prepared");
        assert!(client.enqueue_all(jobs).await.is_err());
        let told = trace.take();
        assert!(told[3].starts_with("a created canceled") && told[4].contains("canceled by filter b"), "{told:?}");
        assert_eq!(stored(&world).await, 0);
        client.enqueue_all(["Ada", "Grace"].map(Greet::new)).await.expect("stored");
        assert_eq!(stored(&world).await, 2);
    }

    async fn a_job_of_a_schedule_goes_through_the_filters_of_its_server(world: World) {
        let trace = Trace::default();
        let server = world.server().register::<Greet>().queues(["default", "elsewhere"]).filter(Redirect);
        let server = server.filter(trace.filter("a")).start().await.expect("started");
        let of_client = Trace::default();
        let client = world.client.with_filter(of_client.filter("client"));
        client.recurring().add_or_update("greet", Greet::new("Ada"), "@hourly", ScheduleOptions::default()).await
            .expect("added");
        world.clock.advance(Duration::from_secs(3600));
        let page = async || world.storage.jobs(&JobFilter::state(StateName::Scheduled), &PageRequest::first(10)).await;
        while page().await.expect("read").jobs.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let made = page().await.expect("read").jobs.remove(0);
        assert_eq!((made.queue.as_str(), made.recurrence.is_some()), ("elsewhere", true));
        assert_eq!(trace.take_when(2).await[..2], ["a creating", "a created"]);
        let triggered = client.recurring().trigger("greet").await.expect("triggered");
        assert_eq!(world.details(&triggered).await.job.queue.as_str(), "default");
        assert_eq!(of_client.take(), ["client creating", "client created"]);
        server.shutdown(Duration::from_secs(10)).await.expect("shut down");
    }

    async fn a_slot_whose_job_is_canceled_is_over(world: World) {
        let trace = Trace::default();
        let server = world.server().register::<Greet>().filter(trace.filter("a").cancels()).start().await;
        let server = server.expect("started");
        let recurring = world.client.recurring();
        recurring.add_or_update("greet", Greet::new("Ada"), "@hourly", ScheduleOptions::default()).await.expect("added");
        let due = async || recurring.get("greet").await.expect("read").expect("a schedule").next_run();
        let first = due().await;
        world.clock.advance(Duration::from_secs(3600));
        while due().await == first {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(stored(&world).await, 0);
        let canceling = world.client.with_filter(trace.filter("client").cancels());
        let error = canceling.recurring().trigger("greet").await.expect_err("canceled");
        assert!(format!("{error:?}").contains("Canceled"), "{error:?}");
        server.shutdown(Duration::from_secs(10)).await.expect("shut down");
    }
}

fn call<J: Job>(job: &J) -> jobs_runtime::job::Invocation {
    jobs_runtime::job::Invocation::of(job).expect("JSON")
}
