//! Moving jobs by hand.

use super::fixture::{Fixture, HOUR};
use crate::{
    job::JobId,
    state::{Awaiting, Deleted, Processing, State, StateName, StateSet, Succeeded, Transition},
    storage::{Change, Changed, Recorded},
};

/// And nobody runs it.
pub async fn a_waiting_job_is_deleted(f: Fixture) {
    let enqueued = f.enqueue("now").await;
    let scheduled = f.schedule("later", HOUR).await;
    assert_eq!(f.delete(enqueued).await, Changed::Moved(StateName::Enqueued));
    assert_eq!(f.delete(scheduled).await, Changed::Moved(StateName::Scheduled));
    assert!(f.claim_from(&["default"], 10).await.is_empty());
    f.clock.advance(HOUR * 2);
    assert_eq!(f.storage.promote(10).await.expect("promoted").promoted, 0);
    assert!(f.history(enqueued).await.contains("deleted (by hand) {}"));
    assert!(f.details(enqueued).await.expires_at.is_some());
}

/// Its worker finds out by its claim.
pub async fn a_running_job_is_deleted_and_its_outcome_refused(f: Fixture) {
    let id = f.enqueue("long").await;
    let job = f.claim().await;
    assert_eq!(f.delete(id).await, Changed::Moved(StateName::Processing));
    assert_eq!(f.storage.revoked(vec![(id, job.token)]).await.expect("asked"), [(id, job.token)]);
    assert_eq!(f.finish(&job, f.success()).await, Recorded::Fenced);
    assert_eq!(f.state(id).await, StateName::Deleted);
    assert!(f.history(id).await.contains("processing {\"attempt\":1,\"server\":\"worker\"}\ndeleted"));
}

/// With a new round of attempts, and its old result in the history.
pub async fn a_finished_job_runs_again_after_a_requeue(f: Fixture) {
    for id in [f.succeed_one("done").await, f.fail_one("bad").await] {
        let before = f.state(id).await;
        assert_eq!(f.requeue(id).await, Changed::Moved(before));
        let details = f.details(id).await;
        assert_eq!((details.job.state, details.job.attempts), (StateName::Enqueued, 0));
        assert_eq!(details.expires_at, None);
        let again = f.claim().await;
        assert_eq!((again.id, again.attempt), (id, 1));
        f.finish(&again, f.success()).await;
        let history = f.history(id).await;
        assert!(history.contains(&format!("{before} ")) && history.contains("enqueued (by hand)"), "{history}");
        assert_eq!(history.lines().count(), 6, "{history}");
    }
}

/// And nothing happens.
pub async fn an_unexpected_state_is_refused(f: Fixture) {
    let id = f.enqueue("now").await;
    let transition = Transition::new(Deleted {}, f.clock.now());
    let change = Change { job: id, from: StateSet::of(&[StateName::Failed, StateName::Scheduled]), transition };
    let changed = f.storage.change(vec![change]).await.expect("asked");
    assert_eq!(changed, [Changed::Refused(StateName::Enqueued)]);
    assert_eq!(f.history(id).await, "enqueued {}\n");
    f.delete(id).await;
    assert_eq!(f.delete(id).await, Changed::Refused(StateName::Deleted));
}

/// No job runs without a claim, succeeds without a run, or awaits what was never checked.
pub async fn a_state_that_needs_more_than_a_move_is_refused(f: Fixture) {
    let result = serde_json::value::to_raw_value(&1).expect("JSON");
    let parent = f.schedule("parent", HOUR).await;
    let targets: [State; 3] = [
        Processing { server: "nobody".to_owned(), attempt: 1 }.into(),
        Succeeded { result, duration: HOUR }.into(),
        Awaiting { parent }.into(),
    ];
    let id = f.enqueue("now").await;
    for to in targets.clone() {
        let change =
            Change { job: id, from: StateSet::of(&StateName::ALL), transition: Transition::new(to, f.clock.now()) };
        let changed = f.storage.change(vec![change]).await.expect("asked");
        assert_eq!(changed, [Changed::Refused(StateName::Enqueued)]);
    }
    let job = f.claim().await;
    let [processing, _, awaiting] = targets;
    for to in [processing, awaiting] {
        assert_eq!(f.finish(&job, Transition::new(to, f.clock.now())).await, Recorded::Fenced);
    }
    assert_eq!(f.state(id).await, StateName::Processing);
    assert_eq!(f.history(id).await.lines().count(), 2);
}

/// Neither deleted nor made.
pub async fn an_unknown_job_is_not_found(f: Fixture) {
    let nobody = JobId::generate(f.clock.now());
    assert_eq!(f.delete(nobody).await, Changed::NotFound);
    assert_eq!(f.storage.job(nobody).await.expect("read"), None);
}

/// From its queue, and again from its schedule.
pub async fn a_job_is_rescheduled(f: Fixture) {
    let id = f.enqueue("now").await;
    assert_eq!(f.reschedule(id, HOUR).await, Changed::Moved(StateName::Enqueued));
    assert!(f.claim_from(&["default"], 10).await.is_empty());
    assert_eq!(f.reschedule(id, HOUR * 2).await, Changed::Moved(StateName::Scheduled));
    f.clock.advance(HOUR);
    assert_eq!(f.storage.promote(10).await.expect("promoted").promoted, 0);
    f.clock.advance(HOUR);
    assert_eq!(f.storage.promote(10).await.expect("promoted").promoted, 1);
    assert_eq!(f.claim().await.id, id);
}

/// From every state to every state that the state machine allows.
pub async fn every_allowed_move_by_hand_works(f: Fixture) {
    let parent = f.schedule("parent", HOUR * 24 * 365).await;
    for from in StateName::ALL {
        for to in [StateName::Enqueued, StateName::Scheduled, StateName::Deleted] {
            let id = job_in(&f, from, parent).await;
            assert_eq!(f.state(id).await, from);
            let changed = match to {
                StateName::Enqueued => f.requeue(id).await,
                StateName::Scheduled => f.reschedule(id, HOUR).await,
                _ => f.delete(id).await,
            };
            let allowed = from.next().contains(to);
            assert_eq!(changed, if allowed { Changed::Moved(from) } else { Changed::Refused(from) }, "{from} -> {to}");
            assert_eq!(f.state(id).await, if allowed { to } else { from });
            f.delete(id).await;
        }
    }
    let counts = f.storage.counts().await.expect("counted");
    assert_eq!((counts.of(StateName::Scheduled).value, counts.of(StateName::Deleted).value), (1, 21));
    assert_eq!(counts.unfinished(), 1, "what was left in another table: {counts:?}");
}

async fn job_in(f: &Fixture, state: StateName, parent: JobId) -> JobId {
    match state {
        StateName::Enqueued => f.enqueue("x").await,
        StateName::Scheduled => f.schedule("x", HOUR).await,
        StateName::Awaiting => f.continue_with(parent, "x").await,
        StateName::Processing => {
            f.enqueue("x").await;
            f.claim().await.id
        }
        StateName::Succeeded => f.succeed_one("x").await,
        StateName::Failed => f.fail_one("x").await,
        StateName::Deleted => {
            let id = f.enqueue("x").await;
            f.delete(id).await;
            id
        }
    }
}
