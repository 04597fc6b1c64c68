//! Calls that were stored by earlier versions of a program, and by later ones.

use std::time::Duration;

use jobs_runtime::{job::Invocation, prelude::*, schedule::ScheduleOptions, state::StateName};
use jobs_tests::on_each_storage;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const TEN_SECONDS: Duration = Duration::from_secs(10);

/// As it was at first.
#[derive(Deserialize)]
struct GreetV1 {
    name: String,
}

/// As it was next.
#[derive(Serialize)]
struct GreetV2 {
    first: String,
    last: String,
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` has no last name")]
struct OneName(String);

fn from_v1(GreetV1 { name }: GreetV1) -> Result<GreetV2, OneName> {
    match name.split_once(' ') {
        Some((first, last)) => Ok(GreetV2 { first: first.to_owned(), last: last.to_owned() }),
        None => Err(OneName(name)),
    }
}

fn from_v2(mut arguments: Value) -> Result<Value, std::convert::Infallible> {
    arguments["times"] = json!(1);
    Ok(arguments)
}

#[job(name = "versions.greet", version = 3, upgrade(v1 = from_v1, v2 = from_v2), retry(attempts = 2, fixed = "20s"))]
async fn greet(first: String, last: String, times: u128) -> String {
    format!("{last}, {first} ({times})")
}

#[job(name = "versions.wave", version = 3, upgrade(v2 = from_v2))]
async fn wave(times: u8) -> u8 {
    times
}

/// A call as a program of that version has stored it.
fn call(job: JobName, version: u32, arguments: &Value) -> Invocation {
    Invocation::new(job, arguments).expect("JSON").with_version(version)
}

on_each_storage! {
    async fn calls_of_earlier_versions_are_upgraded_step_by_step(world: World) {
        let server = world.server().register::<Greet>().start().await.expect("started");
        for (version, arguments, expected) in [
            (1, json!({ "name": "Ada Lovelace" }), "Lovelace, Ada (1)"),
            (2, json!({ "first": "Grace", "last": "Hopper" }), "Hopper, Grace (1)"),
            (3, json!({ "first": "Alan", "last": "Turing", "times": 7 }), "Turing, Alan (7)"),
        ] {
            let call = world.client.prepare(call(Greet::NAME, version, &arguments)).expect("small");
            let job = world.client.enqueue_all([call]).await.expect("stored").remove(0);
            assert_eq!(job.wait(TEN_SECONDS).await.expect("a result"), expected);
        }
        // More than a number of a `Value` holds.
        let now = world.client.enqueue(Greet::new("Edsger", "Dijkstra", u128::MAX)).await.expect("stored");
        assert_eq!(now.wait(TEN_SECONDS).await.expect("a result"), format!("Dijkstra, Edsger ({})", u128::MAX));
        assert_eq!(world.details(&now).await.parameters.get("jobs.version").expect("a number"), Some(3));
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_schedule_knows_the_version_of_its_arguments(world: World) {
        let server = world.server().register::<Greet>().start().await.expect("started");
        let old = call(Greet::NAME, 1, &json!({ "name": "Ada Lovelace" }));
        let recurring = world.client.recurring();
        recurring.add_or_update("old", old, "@hourly", ScheduleOptions::default()).await.expect("added");
        recurring.add_or_update("new", Greet::new("Alan", "Turing", 7_u128), "@hourly", ScheduleOptions::default()).await
            .expect("added");
        for (id, expected) in [("old", "Lovelace, Ada (1)"), ("new", "Turing, Alan (7)")] {
            let job = recurring.trigger(id).await.expect("triggered");
            assert_eq!(job.wait(TEN_SECONDS).await.expect("a result"), expected);
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_call_that_can_not_be_upgraded_fails_and_says_why(world: World) {
        let server = world.server().register::<Greet>().register::<Wave>().start().await.expect("started");
        for (call, expected) in [
            (call(Greet::NAME, 1, &json!({ "name": "Ada" })), "can't be upgraded: `Ada` has no last name"),
            (call(Greet::NAME, 1, &json!({ "user": 7 })), "of version 1 can't be upgraded: missing field `name`"),
            (call(Wave::NAME, 1, &json!({})), "nothing makes version 2 of version 1: add `upgrade(v1 = …)`"),
        ] {
            let call = world.client.prepare(call).expect("small");
            let job = world.client.enqueue_all([call]).await.expect("stored").remove(0);
            let details = world.until(&job, StateName::Failed).await;
            let message = details.history.last().expect("history").data["message"].to_string();
            assert!(message.contains(expected), "{message}");
            assert_eq!(details.job.attempts, 1, "no retry can help");
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    /// A program of that version may run elsewhere.
    async fn a_call_of_a_later_version_is_tried_again(world: World) {
        let server = world.server().register::<Greet>().start().await.expect("started");
        let call = world.client.prepare(call(Greet::NAME, 4, &json!({ "who": 7 }))).expect("small");
        let job = world.client.enqueue_all([call]).await.expect("stored").remove(0);
        let details = world.until(&job, StateName::Scheduled).await;
        let reason = details.history.last().expect("history").reason.clone().unwrap_or_default();
        assert!(reason.contains("are of version 4, and this program knows them up to version 3"), "{reason}");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }
}
