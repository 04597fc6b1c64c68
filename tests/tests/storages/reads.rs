//! How much of its tables a database reads for a verb: no more than a page, a cap or the verb's own jobs, however many
//! jobs wait or are kept.

use std::{sync::Arc, time::Duration};

use jobs_runtime::{
    clock::Timestamp,
    job::{Invocation, JobId, JobName, QueueName},
    state::{Deleted, Scheduled, StateName, StateSet, Succeeded, Transition},
    storage::{
        Change, Claim, ClaimedJob, Finish, Initial, JobFilter, NewJob, PageRequest, Period, Rescue, ServerId,
        ServerRecord, Storage,
    },
};
use jobs_tests::{Engine, Place, PrivateServer, Sql, on_each_private_server};

/// So many jobs wait, and so many are kept that succeeded long ago.
const STORED: usize = 100_000;

/// How many jobs a verb is asked about, and how many rows it may read for each of them and besides.
const ASKED: usize = 100;
const READ: i64 = 40 * ASKED as i64;

on_each_private_server! {
    // Elsewhere (pg-boss #228, River #746) statements scanned millions of old rows. The tables were never analyzed, so the
    // planners know nothing of them.
    async fn no_verb_reads_more_than_it_is_asked_about(server: PrivateServer) {
        let place = server.place();
        fill(&place).await;
        let mut reads = Reads { place, sql: server.place().sql().await, held: Vec::new() };
        for verb in VERBS {
            reads.measure(verb).await;
        }
    }
}

/// In their order: what one brings about is what the next one finds.
const VERBS: &[&str] = &[
    "enqueue",
    "promote",
    "claim",
    "claim",
    "claim",
    "finish",
    "finish_and_claim",
    "retry",
    "change",
    "begin",
    "heartbeat",
    "rescue",
    "revoked",
    "expire",
    "job",
    "states",
    "jobs",
    "counts",
    "queues",
    "servers",
    "statistics",
    "totals",
    "due_schedules",
    "schedules",
    "aggregate_counters",
];

/// Half of the jobs wait in two queues, half have succeeded.
async fn fill(place: &Place) {
    let storage = place.open().await;
    for n in 0..STORED / 500 {
        let jobs = (0..1_000).map(|_| job(&storage, if n % 2 == 0 { "default" } else { "other" }, Initial::Enqueued));
        storage.enqueue(jobs.collect()).await.expect("stored");
    }
    let (job, ready, succeeded) = (place.table("job"), place.table("ready"), place.table("succeeded"));
    let mut sql = place.sql().await;
    let middle = sql.number(&format!("SELECT seq FROM {ready} ORDER BY seq LIMIT 1 OFFSET {STORED}")).await;
    sql.run(&format!(
        "INSERT INTO {succeeded} (job, token, server, claimed_at, at, duration, result, expires_at)
         SELECT id, 1, 'gone', 2, 3, 4, 'null', 5 FROM {job} WHERE place < {middle}"
    ))
    .await;
    sql.run(&format!("DELETE FROM {ready} WHERE seq < {middle}")).await;
    if place.engine == Engine::Postgres {
        sql.run(&format!("VACUUM {ready}")).await;
    }
    storage.close().await;
}

fn job(storage: &Arc<dyn Storage>, queue: &str, initial: Initial) -> NewJob {
    let now = storage.clock().now();
    let invocation = Invocation::new(JobName::new("suite", "reads"), &()).expect("JSON");
    let mut job = NewJob::new(JobId::generate(now), invocation, now);
    (job.queue, job.initial) = (QueueName::new(queue).expect("a name"), initial);
    job
}

/// Asks verbs, and looks what that made the database read.
struct Reads {
    place: Place,
    sql: Sql,
    held: Vec<ClaimedJob>,
}

impl Reads {
    async fn measure(&mut self, verb: &str) {
        let before = self.read_so_far().await;
        let storage = self.place.open().await;
        self.ask(verb, &storage).await;
        storage.close().await;
        let read = self.read_so_far().await - before;
        // Jobs are counted up to a cap, in each of three states that have many, and in each queue; MySQL counts a copy.
        let bound = if ["counts", "queues"].contains(&verb) { 6 * 10_001 + READ } else { READ };
        println!("{verb}: {read} rows read");
        assert!(read <= bound, "`{verb}` read {read} rows");
    }

    /// How many rows were read so far, from tables or indexes.
    async fn read_so_far(&mut self) -> i64 {
        match self.place.engine {
            Engine::Postgres => {
                let connected = format!(
                    "SELECT count(*) FROM pg_stat_activity WHERE {} AND pid <> pg_backend_pid()",
                    self.place.is_connected()
                );
                // A connection tells what it read when it ends.
                while self.sql.number(&connected).await > 0 {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                let read = "SELECT ((SELECT sum(seq_tup_read) FROM pg_stat_user_tables)
                                  + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes))::int8";
                self.sql.number(read).await
            }
            Engine::MySql => {
                let status = "SELECT CAST(SUM(variable_value) AS SIGNED) FROM information_schema.global_status
                              WHERE variable_name LIKE 'HANDLER_READ%'";
                self.sql.number(status).await
            }
        }
    }

    async fn ask(&mut self, verb: &str, storage: &Arc<dyn Storage>) {
        let now = storage.clock().now();
        match verb {
            "enqueue" => {
                let past = Initial::Scheduled(Timestamp::UNIX_EPOCH);
                let jobs =
                    (0..ASKED).flat_map(|_| [job(storage, "other", Initial::Enqueued), job(storage, "late", past)]);
                storage.enqueue(jobs.collect()).await.expect("stored");
            }
            "promote" => assert_eq!(storage.promote(ASKED).await.expect("promoted").promoted, ASKED),
            "claim" => {
                self.held = storage.claim(claim()).await.expect("claimed");
                assert_eq!(self.held.len(), ASKED);
            }
            "finish" => {
                let ended = self.ended(succeeded(), now);
                storage.finish(ended).await.expect("recorded");
                self.held = storage.claim(claim()).await.expect("claimed");
            }
            "finish_and_claim" => {
                let ended = self.ended(succeeded(), now);
                let turn = storage.finish_and_claim(ended, claim()).await;
                turn.recorded.expect("recorded");
                self.held = turn.claimed.expect("claimed");
                assert_eq!(self.held.len(), ASKED);
            }
            "retry" => {
                let ended = self.ended(Scheduled { at: now + Duration::from_secs(3_600) }.into(), now);
                storage.finish(ended).await.expect("recorded");
                self.held = storage.claim(claim()).await.expect("claimed");
            }
            "change" => {
                let transition = Transition::new(Deleted {}, now);
                let change = |job: JobId| Change {
                    job,
                    from: StateSet::of(&[StateName::Enqueued]),
                    transition: transition.clone(),
                };
                let waiting = storage.jobs(&JobFilter::state(StateName::Enqueued), &PageRequest::first(ASKED)).await;
                let changes = waiting.expect("a page").jobs.iter().map(|job| change(job.id)).collect();
                storage.change(changes).await.expect("changed");
            }
            "begin" => storage.begin(self.claims()).await.expect("begun"),
            "heartbeat" => {
                let server = ServerRecord { id: server(), started_at: now, queues: Vec::new(), workers: 1 };
                storage.heartbeat(&server).await.expect("beaten");
            }
            "rescue" => {
                let rescue = Rescue { silent_since: Timestamp::UNIX_EPOCH, max_lost: 3, limit: ASKED };
                storage.rescue(rescue).await.expect("rescued");
            }
            "revoked" => drop(storage.revoked(self.claims()).await.expect("looked")),
            "expire" => assert_eq!(storage.expire(ASKED).await.expect("removed"), ASKED),
            "aggregate_counters" => drop(storage.aggregate_counters(ASKED).await.expect("summed up")),
            _ => self.look(verb, storage, now).await,
        }
    }

    /// The verbs that only read.
    async fn look(&self, verb: &str, storage: &Arc<dyn Storage>, now: Timestamp) {
        let held: Vec<JobId> = self.held.iter().map(|job| job.id).collect();
        match verb {
            "job" => drop(storage.job(held[0]).await.expect("read")),
            "states" => drop(storage.states(&held).await.expect("read")),
            "jobs" => {
                for state in [StateName::Enqueued, StateName::Scheduled, StateName::Processing, StateName::Succeeded] {
                    storage.jobs(&JobFilter::state(state), &PageRequest::first(20)).await.expect("a page");
                }
                storage.jobs(&JobFilter::all(), &PageRequest::first(20)).await.expect("a page");
            }
            "counts" => drop(storage.counts().await.expect("counted")),
            "queues" => drop(storage.queues().await.expect("counted")),
            "servers" => drop(storage.servers().await.expect("read")),
            "statistics" => drop(storage.statistics(Period::Hour, now, now).await.expect("read")),
            "totals" => drop(storage.totals().await.expect("read")),
            "due_schedules" => drop(storage.due_schedules(None, ASKED).await.expect("read")),
            "schedules" => drop(storage.schedules(None, ASKED).await.expect("read")),
            unknown => panic!("there is no verb `{unknown}`"),
        }
    }

    fn ended(&self, to: jobs_runtime::state::State, at: Timestamp) -> Vec<Finish> {
        let transition = Transition::new(to, at);
        let finish = |job: &ClaimedJob| Finish { job: job.id, token: job.token, transition: transition.clone() };
        self.held.iter().map(finish).collect()
    }

    fn claims(&self) -> Vec<(JobId, jobs_runtime::storage::ClaimToken)> {
        self.held.iter().map(|job| (job.id, job.token)).collect()
    }
}

fn server() -> ServerId {
    ServerId::new("reads")
}

fn claim() -> Claim {
    let queues = ["default", "other"].map(|queue| QueueName::new(queue).expect("a name"));
    Claim { server: server(), queues: queues.into(), limit: ASKED }
}

fn succeeded() -> jobs_runtime::state::State {
    let result = serde_json::value::to_raw_value(&()).expect("JSON");
    Succeeded { result, duration: Duration::ZERO }.into()
}
