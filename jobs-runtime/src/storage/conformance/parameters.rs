//! What is stored beside a job's arguments.

use super::fixture::{Fixture, SECOND};
use crate::{
    job::{JobId, Parameters},
    state::{Enqueued, StateName, Transition},
    storage::{Change, Changed, Finish, NewJob, Recorded},
};

fn parameters(culture: &str) -> Parameters {
    let mut parameters = Parameters::new();
    parameters.set("culture", culture).expect("fits");
    parameters.set("tenant", &u64::MAX).expect("fits");
    parameters
}

async fn store(f: &Fixture) -> JobId {
    f.store(NewJob { parameters: parameters("de \u{1F980} \"'"), ..f.job("speak") }).await
}

/// By who claims the job, and by who looks at it.
pub async fn parameters_read_back_as_they_were_stored(f: Fixture) {
    let (with, without) = (store(&f).await, f.enqueue("silent").await);
    assert_eq!(f.details(with).await.parameters, parameters("de \u{1F980} \"'"));
    assert!(f.details(without).await.parameters.is_empty());
    let claimed = f.claim_from(&["default"], 2).await;
    assert_eq!(claimed[0].parameters, parameters("de \u{1F980} \"'"));
    assert!(claimed[1].parameters.is_empty());
}

/// With every kind of outcome, and by hand; a move that says nothing of them leaves them.
pub async fn a_move_can_change_the_parameters(f: Fixture) {
    let successes = [store(&f).await, store(&f).await];
    let jobs = f.claim_from(&["default"], 2).await;
    let changed = Transition { parameters: Some(parameters("fr")), ..f.success() };
    let finish = |at: usize, transition| Finish { job: jobs[at].id, token: jobs[at].token, transition };
    let recorded = f.storage.finish(vec![finish(0, changed), finish(1, f.success())]).await.expect("finished");
    assert_eq!(recorded, [Recorded::Stored; 2]);
    assert_eq!(f.state(successes[0]).await, StateName::Succeeded);
    assert_eq!(f.details(successes[0]).await.parameters, parameters("fr"));
    assert_eq!(f.details(successes[1]).await.parameters, parameters("de \u{1F980} \"'"));

    let retried = store(&f).await;
    let job = f.claim().await;
    let retry = Transition { parameters: Some(Parameters::new()), ..f.retry(SECOND) };
    assert_eq!(f.finish(&job, retry).await, Recorded::Stored);
    assert!(f.details(retried).await.parameters.is_empty(), "none is a change too");
    let requeue = Transition { parameters: Some(parameters("it")), ..Transition::new(Enqueued {}, f.clock.now()) };
    let change = Change { job: retried, from: StateName::Enqueued.previous(), transition: requeue };
    assert_eq!(f.storage.change(vec![change]).await.expect("moved"), [Changed::Moved(StateName::Scheduled)]);
    assert_eq!(f.claim().await.parameters, parameters("it"));
}

/// As an outcome is.
pub async fn only_the_delivery_that_runs_the_job_sets_parameters(f: Fixture) {
    let id = store(&f).await;
    let late = f.claim().await;
    let set = async |token, culture| f.storage.set_parameters(id, token, parameters(culture)).await.expect("asked");
    assert_eq!(set(late.token, "fr").await, Recorded::Stored);
    f.requeue(id).await;
    assert_eq!(set(late.token, "it").await, Recorded::Fenced);
    let current = f.claim().await;
    assert_eq!(current.parameters, parameters("fr"));
    assert_eq!(set(late.token, "it").await, Recorded::Fenced);
    assert_eq!(set(current.token, "es").await, Recorded::Stored);
    assert_eq!(f.finish(&current, f.success()).await, Recorded::Stored);
    assert_eq!(set(current.token, "it").await, Recorded::Fenced);
    assert_eq!(f.details(id).await.parameters, parameters("es"));
    let unknown = f.storage.set_parameters(JobId::generate(f.clock.now()), late.token, Parameters::new()).await;
    assert_eq!(unknown.expect("asked"), Recorded::Fenced);
}
