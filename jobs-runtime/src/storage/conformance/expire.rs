//! Removing jobs whose time has expired.

use super::fixture::{Fixture, HOUR, SECOND};
use crate::{
    state::{Deleted, Expiry, StateName, Transition},
    storage::{Finish, JobFilter, PageRequest, Recorded},
};

/// 24 hours after they succeeded or were deleted, with all that belongs to them.
pub async fn finished_jobs_expire_after_their_time(f: Fixture) {
    let succeeded = f.succeed_one("done").await;
    let deleted = f.enqueue("gone").await;
    f.delete(deleted).await;
    let waiting = f.enqueue("waiting").await;
    f.clock.advance(HOUR * 24 - SECOND);
    assert_eq!(f.storage.expire(10).await.expect("expired"), 0);
    f.clock.advance(SECOND);
    assert_eq!(f.storage.expire(10).await.expect("expired"), 2);
    for id in [succeeded, deleted] {
        assert_eq!(f.storage.job(id).await.expect("read"), None);
    }
    assert_eq!(f.state(waiting).await, StateName::Enqueued);
    let all = f.storage.jobs(&JobFilter::all(), &PageRequest::first(10)).await.expect("read");
    assert_eq!(all.jobs.len(), 1);
    let counts = f.storage.counts().await.expect("counted");
    assert_eq!((counts.of(StateName::Succeeded).value, counts.of(StateName::Deleted).value), (0, 0));
    assert_eq!(f.storage.totals().await.expect("read").succeeded, 1, "the statistics remember");
}

/// Until someone decides.
pub async fn failed_jobs_stay(f: Fixture) {
    let id = f.fail_one("bad").await;
    f.clock.advance(HOUR * 24 * 365);
    assert_eq!(f.storage.expire(10).await.expect("expired"), 0);
    assert_eq!(f.state(id).await, StateName::Failed);
}

/// So that others can write in between.
pub async fn expiry_works_in_bounded_steps(f: Fixture) {
    for id in f.enqueue_many(25).await {
        f.delete(id).await;
    }
    f.clock.advance(HOUR * 25);
    let mut removed = Vec::new();
    while removed.last() != Some(&0) {
        removed.push(f.storage.expire(10).await.expect("expired"));
    }
    assert_eq!(removed, [10, 10, 5, 0]);
}

/// Its time begins anew when it is finished again.
pub async fn a_requeued_job_does_not_expire(f: Fixture) {
    let id = f.succeed_one("again").await;
    f.clock.advance(HOUR * 23);
    f.requeue(id).await;
    f.clock.advance(HOUR * 23);
    assert_eq!(f.storage.expire(10).await.expect("expired"), 0);
    let job = f.claim().await;
    f.finish(&job, f.success()).await;
    f.clock.advance(HOUR * 23);
    assert_eq!(f.storage.expire(10).await.expect("expired"), 0);
    f.clock.advance(HOUR);
    assert_eq!(f.storage.expire(10).await.expect("expired"), 1);
}

/// Instead of what the storage would say: longer, shorter, or for ever; the next move is as the storage says again.
pub async fn a_move_says_how_long_the_job_is_kept(f: Fixture) {
    let ends = [
        (f.success().kept(Expiry::After(SECOND)), Some(SECOND)),
        (f.success().kept(Expiry::After(HOUR * 48)), Some(HOUR * 48)),
        (f.success().kept(Expiry::Never), None),
        (f.failure().kept(Expiry::After(HOUR)), Some(HOUR)),
        (f.retry(HOUR * 100).kept(Expiry::After(HOUR)), None),
        (Transition::new(Deleted {}, f.clock.now()).kept(Expiry::Never), None),
    ];
    let ids = f.enqueue_many(ends.len()).await;
    let jobs = f.claim_from(&["default"], ends.len()).await;
    let finishes =
        jobs.iter().zip(&ends).map(|(job, (end, _))| Finish { job: job.id, token: job.token, transition: end.clone() });
    assert_eq!(f.storage.finish(finishes.collect()).await.expect("finished"), [Recorded::Stored; 6]);
    for (job, (_, kept)) in jobs.iter().zip(&ends) {
        assert_eq!(f.details(job.id).await.expires_at, kept.map(|kept| f.clock.now() + kept), "{kept:?}");
    }
    f.clock.advance(HOUR * 24 * 365);
    assert_eq!(f.storage.expire(10).await.expect("expired"), 3);
    f.requeue(jobs[2].id).await;
    let again = f.claim().await;
    assert_eq!(f.finish(&again, f.success()).await, Recorded::Stored);
    assert_eq!(f.details(again.id).await.expires_at, Some(f.clock.now() + HOUR * 24));
    assert!(ids.contains(&again.id));
}
