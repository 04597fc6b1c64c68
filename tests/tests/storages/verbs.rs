//! Every verb of a storage, asked so that it changes nothing.

use std::sync::Arc;

use jobs_runtime::{
    clock::Timestamp,
    job::{Invocation, JobId, JobName, QueueName},
    schedule::ScheduleId,
    state::{Enqueued, StateSet, Transition},
    storage::{
        Change, Claim, ClaimToken, Finish, JobFilter, NewJob, PageRequest, Period, Rescue, ScheduleWrite, ServerId,
        ServerRecord, Storage, StorageResult,
    },
};

/// Their names.
pub(crate) const VERBS: [&str; 23] = [
    "begin",
    "change",
    "claim",
    "counts",
    "due_schedules",
    "enqueue",
    "expire",
    "finish",
    "heartbeat",
    "job",
    "jobs",
    "promote",
    "queues",
    "rescue",
    "retire",
    "revoked",
    "schedule",
    "schedules",
    "servers",
    "states",
    "statistics",
    "totals",
    "write_schedules",
];

/// Asks a verb, about a job that there is.
pub(crate) async fn ask(verb: &str, storage: &Arc<dyn Storage>, job: JobId) -> StorageResult<()> {
    let now = storage.clock().now();
    let (server, token) = (ServerId::new("asks"), ClaimToken(0));
    let id: ScheduleId = "none".parse().expect("an id");
    match verb {
        "begin" => storage.begin(vec![(job, token)]).await,
        "change" => {
            let transition = Transition::new(Enqueued {}, now);
            storage.change(vec![Change { job, from: StateSet::of(&[]), transition }]).await.map(drop)
        }
        "claim" => {
            let queues = [QueueName::new("nobodys").expect("a name")].into();
            storage.claim(Claim { server, queues, limit: 1 }).await.map(drop)
        }
        "counts" => storage.counts().await.map(drop),
        "due_schedules" => storage.due_schedules(None, 1).await.map(drop),
        "enqueue" => {
            // It is there, so it is left as it is.
            let invocation = Invocation::new(JobName::new("suite", "ask"), &()).expect("JSON");
            storage.enqueue(vec![NewJob::new(job, invocation, now)]).await
        }
        "expire" => storage.expire(1).await.map(drop),
        "finish" => {
            let transition = Transition::new(Enqueued {}, now);
            storage.finish(vec![Finish { job, token, transition }]).await.map(drop)
        }
        "heartbeat" => {
            let queues = vec![QueueName::DEFAULT];
            storage.heartbeat(&ServerRecord { id: server, started_at: now, queues, workers: 1 }).await.map(drop)
        }
        "job" => storage.job(job).await.map(drop),
        "jobs" => storage.jobs(&JobFilter::all(), &PageRequest::first(1)).await.map(drop),
        "promote" => storage.promote(1).await.map(drop),
        "queues" => storage.queues().await.map(drop),
        "rescue" => {
            let rescue = Rescue { silent_since: Timestamp::UNIX_EPOCH, max_lost: 3, limit: 1 };
            storage.rescue(rescue).await.map(drop)
        }
        "retire" => storage.retire(&server).await,
        "revoked" => storage.revoked(vec![(job, token)]).await.map(drop),
        "schedule" => storage.schedule(&id).await.map(drop),
        "schedules" => storage.schedules(None, 1).await.map(drop),
        "servers" => storage.servers().await.map(drop),
        "states" => storage.states(&[job]).await.map(drop),
        "statistics" => storage.statistics(Period::Hour, now, now).await.map(drop),
        "totals" => storage.totals().await.map(drop),
        "write_schedules" => {
            let write = ScheduleWrite { id, found: Some(0), content: None, jobs: Vec::new() };
            storage.write_schedules(vec![write]).await.map(drop)
        }
        unknown => panic!("there is no verb `{unknown}`"),
    }
}
