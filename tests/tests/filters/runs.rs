//! Round the runs of jobs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use jobs_runtime::{
    filter::{Filter, FilterResult, LayerFilter, Next, Performed, Performing},
    job::Output,
    prelude::*,
    server::JobServerBuilder,
    state::StateName,
};
use jobs_tests::{World, on_each_storage};
use tower::{limit::GlobalConcurrencyLimitLayer, timeout::TimeoutLayer};

use crate::trace::Trace;

const TEN_SECONDS: Duration = Duration::from_secs(10);

#[job(retry(attempts = 0))]
async fn divide(a: i64, b: i64) -> Result<i64, String> {
    a.checked_div(b).ok_or_else(|| "division by zero".to_owned())
}

#[job(retry(attempts = 0), timeout = "20ms")]
async fn sleep_for_ever() {
    std::future::pending::<()>().await;
}

#[job(retry(attempts = 0))]
async fn blow_up() {
    panic!("boom");
}

#[job]
async fn until_stopped(started: Data<tokio::sync::Notify>, token: CancellationToken) -> Result<(), String> {
    started.notify_one();
    token.cancelled().await;
    Err("stopped".to_owned())
}

/// How many of these run at the same time, and how many did at most.
#[derive(Default)]
struct Crowd {
    now: AtomicU32,
    most: AtomicU32,
}

#[job]
async fn join_the_crowd(crowd: Data<Crowd>) {
    let now = crowd.now.fetch_add(1, Ordering::SeqCst) + 1;
    crowd.most.fetch_max(now, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(5)).await;
    crowd.now.fetch_sub(1, Ordering::SeqCst);
}

/// Counts what passes it.
#[derive(Clone, Default)]
struct Count(Arc<AtomicU32>);

#[async_trait::async_trait]
impl Filter for Count {
    async fn performed(&self, performed: &mut Performed<'_>) -> FilterResult {
        assert!(performed.invocation().arguments().starts_with('{'));
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

static OF_THE_BLOCK: AtomicU32 = AtomicU32::new(0);
static OF_THE_METHOD: AtomicU32 = AtomicU32::new(0);

/// Adds to a number of the program, and says when.
struct Note(&'static AtomicU32);

#[async_trait::async_trait]
impl Filter for Note {
    async fn performing(&self, _: &mut Performing) -> FilterResult {
        let before = OF_THE_BLOCK.load(Ordering::SeqCst) + OF_THE_METHOD.load(Ordering::SeqCst);
        self.0.store(before + 1, Ordering::SeqCst);
        Ok(())
    }
}

struct Office;

#[jobs(filters(Note(&OF_THE_BLOCK)))]
impl Office {
    #[job(filters(Note(&OF_THE_METHOD)), aliases("earlier_filing"))]
    async fn file() {}
}

/// Runs what is inside twice.
struct Twice;

#[async_trait::async_trait]
impl Filter for Twice {
    async fn perform(&self, performing: Performing, next: Next) -> Output {
        next.clone().run(performing.clone()).await?;
        next.run(performing).await
    }
}

fn server(world: &World) -> JobServerBuilder {
    world.server().register::<Divide>().register::<SleepForEver>().register::<BlowUp>()
}

on_each_storage! {
    async fn filters_stand_round_each_other_and_the_handler(world: World) {
        let trace = Trace::default();
        let server = server(&world).filter(trace.filter("b")).filter_for::<Divide>(trace.filter("c"));
        let server = server.filter(trace.filter("a").order(-2)).start().await.expect("started");
        let job = world.client.enqueue(Divide::new(6, 2)).await.expect("stored");
        assert_eq!(job.wait(TEN_SECONDS).await.expect("a result"), 3);
        let expected = [
            "a leaves enqueued", "b leaves enqueued", "c leaves enqueued",
            "a enters processing", "b enters processing", "c enters processing",
            "a performing", "b performing", "c performing",
            "c performed 3", "b performed 3", "a performed 3",
            "a leaves processing", "b leaves processing", "c leaves processing",
            "a enters succeeded", "b enters succeeded", "c enters succeeded",
        ];
        assert_eq!(trace.take(), expected);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_run_that_a_filter_cancels_is_deleted_and_says_by_whom(world: World) {
        let trace = Trace::default();
        let server = server(&world).filter(trace.filter("a")).filter(trace.filter("b").cancels());
        let server = server.filter(trace.filter("c")).start().await.expect("started");
        let job = world.client.enqueue(Divide::new(6, 2)).await.expect("stored");
        let details = world.until(&job, StateName::Deleted).await;
        assert_eq!(details.history.last().expect("history").reason.as_deref(), Some("canceled by filter b"));
        let runs: Vec<String> = trace.take().into_iter().filter(|line| line.contains("perform")).collect();
        assert_eq!(runs, ["a performing", "b performing", "a performed canceled by filter b"]);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_failure_is_seen_from_inside_out_until_a_filter_handles_it(world: World) {
        let trace = Trace::default();
        let server = server(&world).filter(trace.filter("a")).filter(trace.filter("b").handles());
        let server = server.filter(trace.filter("c")).start().await.expect("started");
        for (name, message) in [("divide", "division by zero"), ("blow_up", "boom"), ("sleep", "timed out after 20ms")] {
            let job: JobId = match name {
                "divide" => world.client.enqueue(Divide::new(6, 0)).await.expect("stored").id(),
                "blow_up" => world.client.enqueue(BlowUp::new()).await.expect("stored").id(),
                _ => world.client.enqueue(SleepForEver::new()).await.expect("stored").id(),
            };
            let details = world.until(job, StateName::Succeeded).await;
            assert_eq!(details.result.as_deref(), Some("null"));
            let seen: Vec<String> = trace.take().into_iter().filter(|line| line.contains("performed")).collect();
            let expected = [format!("c performed {message}"), format!("b performed {message}"), "a performed null".into()];
            assert_eq!(seen, expected);
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_filter_that_fails_makes_the_job_fail(world: World) {
        for (hook, panics) in [("performing", false), ("performed", false), ("performing", true), ("performed", true)] {
            let trace = Trace::default();
            let bad = trace.filter("b").fails(hook);
            let bad = if panics { bad.panics() } else { bad };
            let server = server(&world).filter(trace.filter("a")).filter(bad).start().await.expect("started");
            let job = world.client.enqueue(Divide::new(6, 2)).await.expect("stored");
            let details = world.until(&job, StateName::Failed).await;
            let message = details.history.last().expect("history").data["message"].to_string();
            let expected = if panics { "b panics" } else { "filter b failed: b is out of order" };
            assert_eq!(message.trim_matches('"'), expected, "{hook}");
            let seen = trace.take();
            assert!(seen.contains(&format!("a performed {expected}")), "{seen:?}");
            server.shutdown(TEN_SECONDS).await.expect("shut down");
        }
    }

    async fn a_run_that_the_server_interrupts_is_none_for_filters(world: World) {
        let (trace, started) = (Trace::default(), Data::new(tokio::sync::Notify::new()));
        let server = world.server().register::<UntilStopped>().shared_data(started.clone());
        let server = server.shutdown_timeout(Duration::ZERO).filter(trace.filter("a").handles());
        let server = server.start().await.expect("started");
        let job = world.client.enqueue(UntilStopped::new()).await.expect("stored");
        started.notified().await;
        server.shutdown(TEN_SECONDS).await.expect("shut down");
        let details = world.details(&job).await;
        assert_eq!((details.job.state, details.job.attempts), (StateName::Enqueued, 0));
        assert!(!trace.take().iter().any(|line| line.contains("performed")));
    }

    async fn filters_stand_beside_jobs_in_the_source(world: World) {
        let server = world.server().register::<File>().start().await.expect("started");
        let mut call = world.client.prepare(jobs_runtime::job::Invocation::of(&File::new()).expect("JSON")).expect("small");
        for _ in 0..2 {
            OF_THE_BLOCK.store(0, Ordering::SeqCst);
            OF_THE_METHOD.store(0, Ordering::SeqCst);
            let job = world.client.enqueue_all([call]).await.expect("stored").remove(0);
            world.until(&job, StateName::Succeeded).await;
            assert_eq!((OF_THE_BLOCK.load(Ordering::SeqCst), OF_THE_METHOD.load(Ordering::SeqCst)), (1, 2));
            // Under an earlier name it is the same job.
            let name = JobName::new("jobs-tests::Office", "earlier_filing");
            let name = if File::ALIASES.contains(&name) { name } else { File::ALIASES[0].clone() };
            let earlier = jobs_runtime::job::Invocation::new(name, &serde_json::json!({})).expect("JSON");
            call = world.client.prepare(earlier).expect("small");
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_filter_may_stand_round_the_run_as_one(world: World) {
        let count = Count::default();
        let server = server(&world).filter(Twice).filter(count.clone()).start().await.expect("started");
        let job = world.client.enqueue(Divide::new(6, 2)).await.expect("stored");
        assert_eq!(job.wait(TEN_SECONDS).await.expect("a result"), 3);
        assert_eq!(count.0.load(Ordering::SeqCst), 2);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn layers_of_tower_are_filters(world: World) {
        let crowd = Data::new(Crowd::default());
        let server = server(&world).register::<JoinTheCrowd>().shared_data(crowd.clone());
        let server = server.filter_for::<JoinTheCrowd>(LayerFilter::new(GlobalConcurrencyLimitLayer::new(2)));
        let server = server.filter_for::<SleepForEver>(LayerFilter::new(TimeoutLayer::new(Duration::from_millis(5))));
        let server = server.start().await.expect("started");
        let jobs = (0..12).map(|_| JoinTheCrowd::new());
        for job in world.client.enqueue_all(jobs).await.expect("stored") {
            job.wait(TEN_SECONDS).await.expect("done");
        }
        assert_eq!(crowd.most.load(Ordering::SeqCst), 2, "of four workers");
        let slow = world.client.enqueue(SleepForEver::new()).await.expect("stored");
        let details = world.until(&slow, StateName::Failed).await;
        let failure = &details.history.last().expect("history").data;
        assert!(failure["message"].to_string().contains("request timed out"), "{failure}");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }
}
