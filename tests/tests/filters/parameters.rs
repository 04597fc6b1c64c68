//! What travels beside a job's arguments.

use std::time::Duration;

use jobs_runtime::{
    filter::{Creating, Filter, FilterResult, Performing},
    prelude::*,
    state::StateName,
    storage::SetParameterError,
};
use jobs_tests::on_each_storage;

const TEN_SECONDS: Duration = Duration::from_secs(10);

#[job]
async fn greet(cx: JobContext) -> anyhow::Result<String> {
    let culture: Option<String> = cx.parameter("culture")?;
    Ok(culture.unwrap_or_else(|| "none".to_owned()))
}

/// Goes on where the attempt before has stopped.
#[job(retry(attempts = 3, fixed = "1s"))]
async fn import(cx: JobContext) -> anyhow::Result<u32> {
    let from: u32 = cx.parameter("line")?.unwrap_or(0);
    cx.set_parameter("line", &(from + 10)).await?;
    anyhow::ensure!(from >= 20, "stopped at line {}", from + 10);
    Ok(from)
}

#[job]
async fn set_many(cx: JobContext) -> anyhow::Result<()> {
    let names: Vec<String> = (0..20).map(|n| format!("n{n}")).collect();
    futures_util::future::try_join_all(names.iter().map(|name| cx.set_parameter(name, name))).await?;
    Ok(())
}

#[job]
async fn write_late(cx: JobContext, gate: Data<tokio::sync::Semaphore>) -> String {
    let _permit = gate.acquire().await;
    match cx.set_parameter("late", &1).await {
        Err(SetParameterError::Revoked) => "revoked".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Carries the language of who asks to where the job runs, as Hangfire's `CaptureCultureAttribute` does.
struct CaptureCulture(&'static str);

#[async_trait::async_trait]
impl Filter for CaptureCulture {
    async fn creating(&self, creating: &mut Creating) -> FilterResult {
        creating.job_mut().parameters.set("culture", self.0)?;
        Ok(())
    }

    async fn performing(&self, performing: &mut Performing) -> FilterResult {
        assert_eq!(performing.context().parameter::<String>("culture")?.as_deref(), Some(self.0));
        Ok(())
    }
}

on_each_storage! {
    async fn a_parameter_goes_from_a_filter_to_the_handler(world: World) {
        let server = world.server().register::<Greet>().filter(CaptureCulture("de-DE")).start().await.expect("started");
        let client = world.client.with_filter(CaptureCulture("de-DE"));
        let job = client.enqueue(Greet::new()).await.expect("stored");
        assert_eq!(job.wait(TEN_SECONDS).await.expect("a result"), "de-DE");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_parameter_is_chosen_when_a_job_is_enqueued(world: World) {
        let server = world.server().register::<Greet>().start().await.expect("started");
        let job = Greet::enqueue().parameter("culture", "fr").parameter("culture", "it").await.expect("stored");
        assert_eq!(job.wait(TEN_SECONDS).await.expect("a result"), "it");
        let long = "x".repeat(100_000);
        let error = Greet::enqueue().parameter("long", &long).parameter("short", &1).await.expect_err("too long");
        assert!(error.to_string().contains("with the job parameter `long` the parameters of the job would be 100"), "{error}");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_parameter_that_a_run_sets_survives_its_failure(world: World) {
        let server = world.server().register::<Import>().start().await.expect("started");
        let job = world.client.enqueue(Import::new()).await.expect("stored");
        for retry in 1..=2 {
            world.until_nth(&job, StateName::Scheduled, retry).await;
            world.clock.advance(Duration::from_secs(1));
        }
        let details = world.until(&job, StateName::Succeeded).await;
        assert_eq!((details.result.as_deref(), details.parameters.get("line").expect("a number")), (Some("20"), Some(30)));
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn parameters_that_are_set_at_once_are_all_kept(world: World) {
        let server = world.server().register::<SetMany>().start().await.expect("started");
        let job = world.client.enqueue(SetMany::new()).await.expect("stored");
        let details = world.until(&job, StateName::Succeeded).await;
        assert_eq!(details.parameters.iter().count(), 20);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_run_that_lost_its_job_sets_no_parameter(world: World) {
        let gate = Data::new(tokio::sync::Semaphore::new(0));
        let server = world.server().register::<WriteLate>().shared_data(gate.clone()).start().await.expect("started");
        let job = world.client.enqueue(WriteLate::new()).await.expect("stored");
        world.until(&job, StateName::Processing).await;
        world.client.delete(&job).await.expect("deleted");
        gate.add_permits(1);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
        assert!(world.details(&job).await.parameters.is_empty());
    }
}
