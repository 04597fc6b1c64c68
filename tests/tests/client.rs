//! What bad input to the client gets.

use std::time::Duration;

use jobs_runtime::{
    client::{ChangeError, IntoNewJob},
    job::JobId,
    prelude::*,
    state::StateName,
    storage::{self, StorageError},
};
use jobs_tests::{Faulty, on_each_storage};

const TEN_SECONDS: Duration = Duration::from_secs(10);

#[job(queue = "mail", priority = 3)]
async fn write(text: String) -> usize {
    text.len()
}

#[job]
async fn largest() -> u128 {
    u128::MAX
}

#[job]
async fn nest(levels: usize) -> serde_json::Value {
    (0..levels).fold(serde_json::Value::Null, |inner, _| serde_json::json!([inner]))
}

fn message<T: std::fmt::Debug>(result: Result<T, EnqueueError>) -> String {
    result.expect_err("refused").to_string()
}

on_each_storage! {
    async fn a_bad_queue_name_is_refused_with_the_name(_world: World) {
        for name in ["", "Mail", "a b", "ünï"] {
            let error = message(Write::enqueue("x").queue(name).await);
            assert!(error.contains("`jobs_tests.write`") && error.contains(&format!("`{name}`")) && error.contains("a-z"), "{error}");
        }
    }

    async fn a_negative_delay_is_refused_with_its_value(_world: World) {
        let error = message(Write::enqueue("x").delay(chrono::TimeDelta::seconds(-5)).await);
        assert!(error.contains("-5000 ms is negative"), "{error}");
    }

    async fn a_time_beyond_all_storages_is_refused(world: World) {
        let error = message(Write::enqueue("x").at(chrono::DateTime::<chrono::Utc>::MAX_UTC).await);
        assert!(error.contains("+262142-12-31") && error.contains("year 9999"), "{error}");
        let error = message(Write::enqueue("x").delay(Duration::MAX).await);
        assert!(error.contains("year 9999"), "{error}");
        let job = Write::enqueue("x").await.expect("stored");
        let error = world.client.reschedule(&job, chrono::DateTime::<chrono::Utc>::MAX_UTC).await.expect_err("refused");
        assert!(matches!(error, ChangeError::TooLate { .. }), "{error}");
    }

    async fn two_starts_are_refused(_world: World) {
        let error = message(Write::enqueue("x").delay(Duration::from_secs(1)).at(chrono::DateTime::UNIX_EPOCH).await);
        assert!(error.contains("more than one start"), "{error}");
    }

    async fn too_large_a_payload_is_refused_with_its_size_and_the_limit(world: World) {
        let text = "x".repeat(Client::DEFAULT_MAX_PAYLOAD);
        let error = message(Write::enqueue(text.clone()).await);
        assert!(error.contains("1048587 bytes") && error.contains("limit of 1048576"), "{error}");
        let larger = world.client.with_max_payload(2 * 1024 * 1024);
        Write::enqueue(text).with(&larger).await.expect("stored");
        let smaller = world.client.with_max_payload(20);
        let jobs = [Write::new("short"), Write::new("much too long a text")];
        assert!(message(smaller.enqueue_all(jobs).await).contains("more than the limit of 20"));
        assert_eq!(world.storage.counts().await.expect("counted").unfinished(), 1, "none of a refused batch is stored");
    }

    async fn an_unknown_parent_is_refused(world: World) {
        let nobody = JobId::generate(world.clock.now());
        let error = message(Write::enqueue("x").after(nobody).await);
        assert!(error.contains(&nobody.to_string()), "{error}");
    }

    async fn a_calls_own_choices_go_before_its_types(world: World) {
        let plain = world.details(&Write::enqueue("x").await.expect("stored")).await;
        assert_eq!((plain.job.queue.as_str(), plain.job.priority, plain.max_attempts), ("mail", 3, None));
        let call = Write::enqueue("x").queue("bulk").priority(-1).max_attempts(7);
        let chosen = world.details(&call.await.expect("stored")).await;
        assert_eq!((chosen.job.queue.as_str(), chosen.job.priority, chosen.max_attempts), ("bulk", -1, Some(7)));
    }

    async fn different_jobs_are_stored_at_once(world: World) {
        let first = Write::enqueue("x").into_new_job(&world.client).expect("prepared");
        let after = Write::enqueue("y").after(first.id).into_new_job(&world.client).expect("prepared");
        let handles = world.client.enqueue_all([first, after]).await.expect("stored");
        assert_eq!(world.details(&handles[1]).await.job.state, StateName::Awaiting);
        assert!(world.client.enqueue_all(Vec::<Write>::new()).await.expect("nothing").is_empty());
    }

    async fn a_lost_reply_is_asked_for_again_and_the_job_is_stored_once(world: World) {
        let faulty = Faulty::new(world.storage.clone(), 1);
        let client = Client::new(faulty.clone());
        faulty.lose_replies(1);
        let job = client.enqueue(Write::new("x")).await.expect("stored at the second time");
        assert_eq!(world.details(&job).await.job.state, StateName::Enqueued);
        faulty.lose_replies(1);
        client.enqueue_all(["y", "z"].map(Write::new)).await.expect("stored at the second time");
        assert_eq!(world.storage.counts().await.expect("counted").unfinished(), 3);
    }

    async fn enqueueing_again_with_the_same_id_stores_once(world: World) {
        let faulty = Faulty::new(world.storage.clone(), 1);
        let client = Client::new(faulty.clone());
        let id = JobId::generate(world.clock.now());
        faulty.lose_replies(2);
        let error = client.enqueue(Write::new("x")).id(id).await.expect_err("all replies are lost");
        assert!(matches!(error, EnqueueError::Storage(StorageError::Failed { .. })), "{error}");
        let job = client.enqueue(Write::new("x")).id(id).await.expect("stored");
        assert_eq!(job.id(), id);
        assert_eq!(world.storage.counts().await.expect("counted").unfinished(), 1);
    }

    async fn a_result_is_read_back_to_the_letter_or_refused(world: World) {
        let server = world.server().register::<Largest>().register::<Nest>().start().await.expect("started");
        let largest = Largest::enqueue().await.expect("stored");
        assert_eq!(largest.wait(TEN_SECONDS).await.expect("a result"), u128::MAX);
        let deep = Nest::enqueue(126).await.expect("stored").wait(TEN_SECONDS).await.expect("a result");
        assert!(deep[0][0].is_array());
        let error = Nest::enqueue(200).await.expect("stored").wait(TEN_SECONDS).await.expect_err("too deep");
        assert!(matches!(error, WaitError::Failed { .. }), "{error}");
        assert!(error.to_string().contains("200 levels deep"), "{error}");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_call_bound_to_another_storage_is_refused(world: World) {
        let other = Client::new(storage::connect("memory:").await.expect("opened"));
        let error = world.client.enqueue_all([other.enqueue(Write::new("x"))]).await.expect_err("refused");
        assert!(matches!(error, EnqueueError::OtherClient { .. }), "{error}");
        assert!(error.to_string().contains("`jobs_tests.write`"), "{error}");
        let same = world.client.with_max_payload(1_000);
        same.enqueue_all([world.client.enqueue(Write::new("x"))]).await.expect("the same storage");
        assert_eq!(world.storage.counts().await.expect("counted").unfinished(), 1);
        assert_eq!(other.monitor().counts().await.expect("counted").unfinished(), 0);
    }

    async fn jobs_are_moved_by_hand(world: World) {
        let job = Write::enqueue("x").await.expect("stored");
        world.client.reschedule(&job, world.clock.now() + Duration::from_secs(60)).await.expect("rescheduled");
        assert_eq!(world.details(&job).await.job.state, StateName::Scheduled);
        world.client.requeue(&job).await.expect("requeued");
        assert_eq!(world.details(&job).await.job.state, StateName::Enqueued);
        world.client.delete(&job).await.expect("deleted");
        let error = world.client.delete(&job).await.expect_err("refused");
        assert_eq!(error.to_string(), format!("job {} is deleted and can't become deleted", job.id()));
        let nobody = JobId::generate(world.clock.now());
        assert!(matches!(world.client.requeue(nobody).await, Err(ChangeError::NotFound { id }) if id == nobody));
    }
}

/// Not even a panic.
#[test]
fn a_call_outside_of_a_runtime_says_what_it_needs() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let client = Client::new(runtime.block_on(jobs_runtime::storage::connect("memory:")).expect("memory"));
    let mut call = std::pin::pin!(client.storage().counts());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(answer) = call.as_mut().poll(&mut context) else { panic!("not at once") };
    assert!(answer.expect_err("refused").to_string().contains("tokio runtime"));
}

/// Nothing of this program but this test sets the process-wide client, and it does so last.
#[tokio::test]
async fn a_call_without_a_client_says_how_to_get_one() {
    let error = message(Write::enqueue("x").await);
    assert!(error.contains("set_client") && error.contains("scope") && error.contains("with"), "{error}");
    let open = async || Client::new(jobs_runtime::storage::connect("memory:").await.expect("memory"));
    let (process, scoped, explicit) = (open().await, open().await, open().await);
    set_client(process.clone());
    Write::enqueue("process").await.expect("stored");
    scoped.scope(async { Write::enqueue("scoped").await.expect("stored") }).await;
    scoped.scope(async { Write::enqueue("explicit").with(&explicit).await.expect("stored") }).await;
    for client in [process, scoped, explicit] {
        assert_eq!(client.monitor().counts().await.expect("counted").unfinished(), 1);
    }
}
