//! Taking jobs back from dead servers.

use super::fixture::{Fixture, SECOND, server};
use crate::{
    clock::before,
    state::StateName,
    storage::{Recorded, Rescue, Rescued},
};

/// Elsewhere (effectum) every running job counted as orphaned when a second process started.
pub async fn jobs_of_a_live_server_are_left_alone(f: Fixture) {
    f.beat("worker").await;
    f.beat("other").await;
    let id = f.enqueue("long").await;
    f.claim().await;
    f.clock.advance(SECOND * 15);
    assert!(f.rescue().await.is_empty(), "a heartbeat that is exactly the timeout old is not stale");
    assert_eq!(f.state(id).await, StateName::Processing);
}

/// With the reason in its history, at the end of its queue.
pub async fn jobs_of_a_dead_server_go_back_and_cost_an_attempt(f: Fixture) {
    f.beat("worker").await;
    let id = f.enqueue("long").await;
    f.claim().await;
    f.clock.advance(SECOND * 16);
    let rescued = Rescued { job: id, server: server("worker"), to: StateName::Enqueued };
    assert_eq!(f.rescue().await, [rescued]);
    let details = f.details(id).await;
    assert_eq!((details.job.state, details.job.attempts, details.lost), (StateName::Enqueued, 1, 1));
    assert!(f.history(id).await.contains("server `worker` stopped beating"));
    assert_eq!(f.claim().await.attempt, 2);
    assert!(f.storage.servers().await.expect("read").is_empty(), "the dead server is forgotten");
}

/// Elsewhere (Hangfire #1903, #1071, Sidekiq) it came back for ever.
pub async fn a_job_that_kills_its_servers_ends_in_failed(f: Fixture) {
    let id = f.enqueue("killer").await;
    for death in 1..=3 {
        f.beat("worker").await;
        let job = f.claim().await;
        f.storage.begin(vec![(id, job.token)]).await.expect("noted");
        f.clock.advance(SECOND * 16);
        let to = if death < 3 { StateName::Enqueued } else { StateName::Failed };
        assert_eq!(f.rescue().await, [Rescued { job: id, server: server("worker"), to }]);
    }
    let details = f.details(id).await;
    assert_eq!((details.job.state, details.lost), (StateName::Failed, 3));
    let last = details.history.last().expect("history");
    assert_eq!(last.data["error_type"], "lost");
    assert!(last.data["message"].as_str().expect("a message").contains("lost run 3 of at most 3"), "{last:?}");
    f.requeue(id).await;
    assert_eq!(f.details(id).await.lost, 0, "a requeue begins a new round");
}

/// Its neighbours, claimed ahead by the server that it kills, don't pay for it more than once.
pub async fn a_job_that_only_waited_in_a_dead_server_does_not_fail(f: Fixture) {
    let id = f.enqueue("innocent").await;
    for _ in 0..5 {
        f.beat("worker").await;
        f.claim().await;
        f.clock.advance(SECOND * 16);
        assert_eq!(f.rescue().await.len(), 1);
    }
    let details = f.details(id).await;
    assert_eq!((details.job.state, details.job.attempts, details.lost), (StateName::Enqueued, 1, 1));
    assert!(f.history(id).await.contains("stopped beating before it began"));
    let stale = f.claim().await;
    f.requeue(id).await;
    f.claim().await;
    f.storage.begin(vec![(id, stale.token)]).await.expect("ignored: it is another delivery's");
}

/// Also when the job waits in its queue again.
pub async fn a_dead_servers_late_outcome_is_refused(f: Fixture) {
    f.beat("worker").await;
    let id = f.enqueue("long").await;
    let stale = f.claim().await;
    f.clock.advance(SECOND * 16);
    f.rescue().await;
    assert_eq!(f.finish(&stale, f.success()).await, Recorded::Fenced);
    assert_eq!(f.state(id).await, StateName::Enqueued);
}

/// Such as one that retired too early, or whose row was removed by hand.
pub async fn jobs_of_a_server_nobody_knows_go_back(f: Fixture) {
    f.beat("worker").await;
    let id = f.enqueue("long").await;
    f.claim().await;
    f.storage.retire(&server("worker")).await.expect("retired");
    assert_eq!(f.rescue().await.len(), 1);
    assert_eq!(f.state(id).await, StateName::Enqueued);
}

/// Elsewhere (River #1318) a page full of jobs to skip hid those behind it.
pub async fn rescue_works_in_bounded_steps(f: Fixture) {
    f.beat("alive").await;
    f.enqueue_many(30).await;
    f.claim_as("alive", &["default"], 20).await;
    f.claim_as("dead", &["default"], 10).await;
    let rescue =
        || f.storage.rescue(Rescue { silent_since: before(f.clock.now(), SECOND * 15), max_lost: 3, limit: 4 });
    let mut rescued = Vec::new();
    while rescued.last() != Some(&0) {
        rescued.push(rescue().await.expect("rescued").len());
    }
    assert_eq!(rescued, [4, 4, 2, 0]);
    assert_eq!(f.storage.counts().await.expect("counted").of(StateName::Processing).value, 20);
}

/// A server whose claim was carried out, but whose reply was lost, learns of it.
pub async fn a_heartbeat_tells_what_the_server_holds(f: Fixture) {
    f.enqueue_many(3).await;
    let mine = f.claim_as("worker", &["default"], 2).await;
    f.claim_as("other", &["default"], 1).await;
    let mut held = f.other.heartbeat(&f.record("worker")).await.expect("beaten");
    held.sort_by_key(|(id, _)| *id);
    assert_eq!(held, mine.iter().map(|job| (job.id, job.token)).collect::<Vec<_>>());
    f.finish(&mine[0], f.success()).await;
    assert_eq!(f.storage.heartbeat(&f.record("worker")).await.expect("beaten").len(), 1);
}

/// Elsewhere (Hangfire #1197, Celery) a fixed time limit made long jobs run twice.
pub async fn a_job_may_run_for_days(f: Fixture) {
    let id = f.enqueue("long").await;
    f.beat("worker").await;
    let job = f.claim().await;
    for _ in 0..100 {
        f.clock.advance(SECOND * 3_600);
        f.beat("worker").await;
        assert!(f.rescue().await.is_empty());
    }
    assert_eq!(f.finish(&job, f.success()).await, Recorded::Stored);
    assert_eq!(f.state(id).await, StateName::Succeeded);
}
