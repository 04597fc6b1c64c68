//! The server: what it checks at its start, how it runs jobs, and how it ends.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use jobs_runtime::{
    clock::before,
    prelude::*,
    server::StartError,
    state::StateName,
    storage::{Claim, Rescue, ServerId, Storage},
};
use jobs_tests::on_each_storage;
use tokio::sync::Semaphore;

const TEN_SECONDS: Duration = Duration::from_secs(10);

/// The order in which jobs ran.
#[derive(Default)]
struct Order(Mutex<Vec<String>>);

#[job]
async fn note(order: Data<Order>, name: String) {
    order.0.lock().expect("an order").push(name);
}

/// Lets tests hold jobs while they run, and see how they end.
struct Gate {
    begun: Semaphore,
    open: Semaphore,
    cancelled: AtomicU32,
}

impl Gate {
    fn new() -> Data<Self> {
        Data::new(Self { begun: Semaphore::new(0), open: Semaphore::new(0), cancelled: AtomicU32::new(0) })
    }

    async fn begun(&self, jobs: u32) {
        let begun = tokio::time::timeout(TEN_SECONDS, self.begun.acquire_many(jobs)).await;
        begun.expect("jobs begin").expect("never closed").forget();
    }
}

/// Waits for the gate, or for its cancellation.
#[job]
async fn wait_politely(gate: Data<Gate>, token: CancellationToken) -> Result<(), String> {
    gate.begun.add_permits(1);
    tokio::select! {
        permit = gate.open.acquire() => permit.map(|permit| permit.forget()).map_err(|error| error.to_string()),
        () = token.cancelled() => {
            gate.cancelled.fetch_add(1, Ordering::Relaxed);
            Err("cancelled".to_owned())
        }
    }
}

/// Waits for the gate and doesn't care for anything else.
#[job]
async fn wait_stubbornly(gate: Data<Gate>) -> Result<(), String> {
    gate.begun.add_permits(1);
    gate.open.acquire().await.map(|permit| permit.forget()).map_err(|error| error.to_string())
}

/// Hogs an async thread.
#[job]
async fn hog(stop: Data<AtomicBool>, gate: Data<Gate>) {
    gate.begun.add_permits(1);
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[job(queue = "elsewhere")]
async fn run_elsewhere() {}

mod twin {
    use jobs_runtime::prelude::*;

    #[job(name = "server_tests.twin")]
    pub(super) async fn first() {}

    #[job(name = "server_tests.twin")]
    pub(super) async fn second() {}
}

on_each_storage! {
    async fn one_worker_keeps_to_queues_priority_and_age(world: World) {
        for (name, queue, priority) in
            [("c", "low", 9), ("a2", "high", 0), ("a1", "high", 1), ("b1", "default", 0), ("b2", "default", 0)]
        {
            Note::enqueue(name).queue(queue).priority(priority).await.expect("stored");
        }
        let last = Note::enqueue("last").queue("low").priority(-1).await.expect("stored");
        let order = Data::new(Order::default());
        let server = world.server().register::<Note>().shared_data(order.clone()).workers(1)
            .queues(["high", "default", "low"]).start().await.expect("started");
        last.wait(TEN_SECONDS).await.expect("done");
        assert_eq!(*order.0.lock().expect("an order"), ["a1", "a2", "b1", "b2", "c", "last"]);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    // Elsewhere (graphile_worker) one job was taken a signal, and a backlog drained at eight a second.
    async fn a_backlog_drains_without_waiting_for_polls(world: World) {
        let order = Data::new(Order::default());
        let handles = world.client.enqueue_all((0..1_000).map(|n| Note::new(n.to_string()))).await.expect("stored");
        let server = world.server().register::<Note>().shared_data(order.clone()).queue_poll_interval(Duration::from_secs(3600))
            .start().await.expect("started");
        for handle in handles {
            handle.wait(TEN_SECONDS).await.expect("done");
        }
        let mut names = order.0.lock().expect("an order").clone();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 1_000);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn work_from_another_process_is_found_without_waiting_for_polls(world: World) {
        let order = Data::new(Order::default());
        let server = world.server().register::<Note>().shared_data(order.clone()).queue_poll_interval(Duration::from_secs(3600))
            .start().await.expect("started");
        let elsewhere = Client::new(world.other.clone());
        for n in 0..5 {
            let note = elsewhere.enqueue(Note::new(n.to_string())).await.expect("stored");
            note.wait(TEN_SECONDS).await.expect("done");
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn deleting_a_running_job_cancels_its_token_within_a_second(world: World) {
        let gate = Gate::new();
        let server = world.server().register::<WaitPolitely>().shared_data(gate.clone()).start().await.expect("started");
        let elsewhere = Client::new(world.other.clone());
        for client in [&world.client, &elsewhere] {
            let before = gate.cancelled.load(Ordering::Relaxed);
            let job = WaitPolitely::enqueue().await.expect("stored");
            gate.begun(1).await;
            client.delete(&job).await.expect("deleted");
            for _ in 0..200 {
                if gate.cancelled.load(Ordering::Relaxed) > before {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert_eq!(gate.cancelled.load(Ordering::Relaxed), before + 1);
            assert_eq!(world.details(&job).await.job.state, StateName::Deleted);
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn requeueing_a_running_job_cancels_it_and_runs_it_again(world: World) {
        let gate = Gate::new();
        let server = world.server().register::<WaitPolitely>().shared_data(gate.clone()).start().await.expect("started");
        let job = WaitPolitely::enqueue().await.expect("stored");
        gate.begun(1).await;
        world.client.requeue(&job).await.expect("requeued");
        gate.begun(1).await;
        while gate.cancelled.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        gate.open.add_permits(1);
        job.wait(TEN_SECONDS).await.expect("done");
        assert_eq!(world.times(&job, StateName::Processing).await, 2);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_shutdown_waits_for_running_jobs(world: World) {
        let gate = Gate::new();
        let server = world.server().register::<WaitStubbornly>().shared_data(gate.clone()).start().await.expect("started");
        let job = WaitStubbornly::enqueue().await.expect("stored");
        gate.begun(1).await;
        let ending = tokio::spawn(server.shutdown(TEN_SECONDS));
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!ending.is_finished());
        gate.open.add_permits(1);
        let report = ending.await.expect("ended").expect("shut down");
        assert_eq!((report.not_begun, report.interrupted), (0, 0));
        assert_eq!(world.details(&job).await.job.state, StateName::Succeeded);
        assert!(world.storage.servers().await.expect("read").is_empty());
    }

    async fn a_shutdown_cancels_and_then_gives_back_without_spending_an_attempt(world: World) {
        let gate = Gate::new();
        let server = world.server().workers(2).register::<WaitStubbornly>().register::<WaitPolitely>()
            .shared_data(gate.clone()).cancel_grace(Duration::from_millis(50)).start().await.expect("started");
        let stubborn = WaitStubbornly::enqueue().await.expect("stored");
        let polite = WaitPolitely::enqueue().await.expect("stored");
        let waiting = WaitPolitely::enqueue().await.expect("stored");
        gate.begun(2).await;
        let report = server.shutdown(Duration::from_millis(50)).await.expect("shut down");
        assert_eq!((report.interrupted, gate.cancelled.load(Ordering::Relaxed)), (1, 1));
        for job in [&stubborn, &polite, &waiting] {
            let details = world.details(job).await;
            assert_eq!((details.job.state, details.job.attempts), (StateName::Enqueued, 0));
        }
        let server = world.server().register::<WaitStubbornly>().register::<WaitPolitely>()
            .shared_data(gate.clone()).start().await.expect("started");
        gate.open.add_permits(3);
        for job in [stubborn, polite, waiting] {
            job.wait(TEN_SECONDS).await.expect("done");
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    // Elsewhere (Hangfire #2235) the heartbeat stopped during a shutdown, and others stole the jobs.
    async fn the_heartbeat_goes_on_until_the_last_job_is_given_back(world: World) {
        let gate = Gate::new();
        let interval = Duration::from_secs(1);
        let server = world.server().register::<WaitStubbornly>().shared_data(gate.clone())
            .heartbeat_interval(interval).server_timeout(interval * 5).start().await.expect("started");
        let job = WaitStubbornly::enqueue().await.expect("stored");
        gate.begun(1).await;
        let ending = tokio::spawn(server.shutdown(TEN_SECONDS));
        for _ in 0..20 {
            world.clock.advance(interval);
            beat_at(&world.storage, world.clock.now()).await;
        }
        gate.open.add_permits(1);
        ending.await.expect("ended").expect("shut down");
        assert_eq!(world.times(&job, StateName::Processing).await, 1);
        assert_eq!(world.details(&job).await.job.state, StateName::Succeeded);
    }

    // Elsewhere (BullMQ #489) handlers that hog the CPU starved the lock's renewal.
    async fn the_heartbeat_goes_on_while_handlers_hog_all_threads(world: World) {
        let (gate, stop) = (Gate::new(), Data::new(AtomicBool::new(false)));
        let interval = Duration::from_secs(1);
        let server = world.server().register::<Hog>().shared_data(gate.clone()).shared_data(stop.clone())
            .heartbeat_interval(interval).server_timeout(interval * 5).start().await.expect("started");
        let storage = world.storage.clone();
        // The runtime of this test has two threads: with two hogs on them, only a thread of its own can look.
        let (clock, begun) = (world.clock.clone(), gate.clone());
        let watch = std::thread::spawn(move || {
            let _stop = StopAtEnd(stop);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                begun.begun(2).await;
                for _ in 0..10 {
                    clock.advance(interval);
                    beat_at(&storage, clock.now()).await;
                }
            });
        });
        let jobs = world.client.enqueue_all([Hog::new(), Hog::new(), Hog::new()]).await.expect("stored");
        for job in jobs {
            job.wait(Duration::from_secs(60)).await.expect("done");
            assert_eq!(world.times(&job, StateName::Processing).await, 1);
        }
        watch.join().expect("watched");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    // A job that kills its server must not take those that ran beside it along, again and again.
    async fn jobs_with_one_lost_run_left_run_one_at_a_time(world: World) {
        let gate = Gate::new();
        let jobs = world.client.enqueue_all((0..3).map(|_| WaitStubbornly::new())).await.expect("stored");
        let queues: Arc<[QueueName]> = ["default".try_into().expect("a queue")].into();
        let rescue = Rescue { silent_since: before(world.clock.now(), Duration::from_secs(15)), max_lost: 3, limit: 10 };
        for _ in 0..2 {
            let dead = Claim { server: ServerId::new("dead"), queues: queues.clone(), limit: 3 };
            let claimed = world.storage.claim(dead).await.expect("claimed");
            let claims = claimed.iter().map(|job| (job.id, job.token)).collect();
            world.storage.begin(claims).await.expect("noted");
            assert_eq!(world.storage.rescue(rescue).await.expect("rescued").len(), 3);
        }
        let server = world.server().register::<WaitStubbornly>().shared_data(gate.clone()).start().await.expect("started");
        for _ in 0..3 {
            gate.begun(1).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(gate.begun.available_permits(), 0, "another one began beside it");
            gate.open.add_permits(1);
        }
        for job in jobs {
            job.wait(TEN_SECONDS).await.expect("done");
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn jobs_of_a_dead_server_run_elsewhere(world: World) {
        let order = Data::new(Order::default());
        let job = Note::enqueue("again").await.expect("stored");
        let dead = Claim { server: ServerId::new("dead"), queues: ["default".try_into().expect("a queue")].into(), limit: 1 };
        assert_eq!(world.storage.claim(dead).await.expect("claimed").len(), 1);
        let server = world.server().register::<Note>().shared_data(order.clone()).start().await.expect("started");
        while world.details(&job).await.job.state != StateName::Succeeded {
            world.clock.advance(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(world.details(&job).await.job.attempts, 2);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    // Elsewhere (apalis) a heartbeat stopped while a fetched batch was waiting: ten jobs ran 24 times.
    async fn jobs_that_wait_in_a_server_are_not_taken_by_another(world: World) {
        let gate = Gate::new();
        let interval = Duration::from_secs(1);
        let start = || world.server().workers(1).register::<WaitStubbornly>().shared_data(gate.clone())
            .heartbeat_interval(interval).server_timeout(interval * 3).start();
        let first = start().await.expect("started");
        let jobs = hold_claimed_ahead(&world, &gate).await;
        let second = start().await.expect("started");
        for _ in 0..30 {
            world.clock.advance(interval);
            tokio::time::sleep(Duration::from_millis(5)).await;
            beat_at(&world.storage, world.clock.now()).await;
        }
        gate.open.add_permits(20);
        for job in jobs {
            job.wait(TEN_SECONDS).await.expect("done");
            assert_eq!(world.times(&job, StateName::Processing).await, 1);
        }
        first.shutdown(TEN_SECONDS).await.expect("shut down");
        second.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    // A machine that slept, or a clock that was set: all servers look dead, and none is.
    async fn live_servers_keep_their_jobs_when_the_clock_jumps(world: World) {
        let gate = Gate::new();
        let start = || world.server().workers(1).register::<WaitStubbornly>().shared_data(gate.clone()).start();
        let servers = [start().await.expect("started"), start().await.expect("started")];
        let jobs = world.client.enqueue_all([WaitStubbornly::new(), WaitStubbornly::new()]).await.expect("stored");
        gate.begun(2).await;
        for _ in 0..5 {
            world.clock.advance(Duration::from_secs(3600));
            beat_at(&world.storage, world.clock.now()).await;
            for _ in 0..5 {
                world.clock.advance(Duration::from_secs(3));
                beat_at(&world.storage, world.clock.now()).await;
            }
        }
        gate.open.add_permits(2);
        for job in jobs {
            job.wait(TEN_SECONDS).await.expect("done");
            assert_eq!(world.times(&job, StateName::Processing).await, 1);
        }
        for server in servers {
            server.shutdown(TEN_SECONDS).await.expect("shut down");
        }
    }

    async fn a_job_deleted_while_it_waits_in_a_server_is_not_begun(world: World) {
        let gate = Gate::new();
        let server = world.server().workers(1).register::<WaitStubbornly>().shared_data(gate.clone()).start().await.expect("started");
        let jobs = hold_claimed_ahead(&world, &gate).await;
        for job in &jobs[1..] {
            world.client.delete(job).await.expect("deleted");
        }
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        gate.open.add_permits(20);
        jobs[0].wait(TEN_SECONDS).await.expect("done");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
        assert_eq!(gate.begun.available_permits(), 0, "none of the others began");
    }

    async fn a_server_is_seen_while_it_lives(world: World) {
        let server = world.server().queues(["b", "a"]).workers(3).start().await.expect("started");
        let seen = world.other.servers().await.expect("read");
        assert_eq!((seen[0].server.id.clone(), seen[0].server.workers), (server.id().clone(), 3));
        assert_eq!(seen[0].server.queues.iter().map(|queue| queue.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert!(server.health().is_healthy());
        server.shutdown(TEN_SECONDS).await.expect("shut down");
        assert!(world.other.servers().await.expect("read").is_empty());
    }

    async fn expired_jobs_are_removed(world: World) {
        let order = Data::new(Order::default());
        let server = world.server().register::<Note>().shared_data(order).start().await.expect("started");
        let job = Note::enqueue("old").await.expect("stored");
        job.wait(TEN_SECONDS).await.expect("done");
        for _ in 0..200 {
            world.clock.advance(Duration::from_secs(3600));
            tokio::time::sleep(Duration::from_millis(5)).await;
            if job.details().await.expect("read").is_none() {
                break;
            }
        }
        assert!(job.details().await.expect("read").is_none());
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn all_problems_are_told_at_once_and_where_they_are(world: World) {
        let error = JobServer::builder(world.storage.clone())
            .queues(["default", "Mail", "default"])
            .queues_elsewhere(["So Far"])
            .workers(0)
            .server_timeout(Duration::from_secs(1))
            .start().await.expect_err("problems");
        let StartError::Problems(problems) = &error else { panic!("{error}") };
        let text = error.to_string();
        let expected = [
            "two jobs are named `server_tests.twin`: one at tests/tests/server.rs:",
            "job `jobs_tests.note` (tests/tests/server.rs:",
            "needs `Data<server::Order>`",
            "needs `Data<server::Gate>`",
            "job `jobs_tests.run_elsewhere` (tests/tests/server.rs:",
            "uses queue `elsewhere`, which this server does not serve",
            "names queue `default` twice",
            "invalid queue name `Mail`",
            "`.queues_elsewhere(…)`: invalid queue name `So Far`",
            "at least one worker",
            "`.server_timeout(1s)` must be more than twice",
        ];
        for part in expected {
            assert!(text.contains(part), "no {part:?} in {text}");
        }
        assert!(problems.len() >= expected.len() - 1, "{text}");
        assert!(world.storage.servers().await.expect("read").is_empty(), "nothing was started");
    }

    async fn a_queue_that_others_serve_is_no_problem(world: World) {
        let server = world.server().register::<RunElsewhere>().queues(["default"]).queues_elsewhere(["elsewhere"])
            .start().await.expect("started");
        let job = RunElsewhere::enqueue().await.expect("stored");
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(world.details(&job).await.job.state, StateName::Enqueued);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn without_queues_named_a_server_serves_those_of_its_handlers(world: World) {
        let server = world.server().register::<RunElsewhere>().start().await.expect("started");
        RunElsewhere::enqueue().await.expect("stored").wait(TEN_SECONDS).await.expect("done");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_dropped_server_stops(world: World) {
        let gate = Gate::new();
        let server = world.server().register::<WaitStubbornly>().shared_data(gate.clone()).start().await.expect("started");
        let job = WaitStubbornly::enqueue().await.expect("stored");
        gate.begun(1).await;
        drop(server);
        WaitStubbornly::enqueue().await.expect("stored");
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(gate.begun.available_permits(), 0, "nothing more is begun");
        assert_eq!(world.details(&job).await.job.state, StateName::Processing, "as after a crash");
    }
}

/// Brings a server of one worker to hold jobs that it has claimed ahead: hundreds of quick ones make it do so, and
/// the first of the returned ones, which waits for the gate, keeps the others waiting.
async fn hold_claimed_ahead(world: &jobs_tests::World, gate: &Gate) -> Vec<JobHandle<()>> {
    gate.open.add_permits(500);
    let mut jobs = world.client.enqueue_all((0..520).map(|_| WaitStubbornly::new())).await.expect("stored");
    let waiting = jobs.split_off(500);
    gate.begun(501).await;
    let processing = world.storage.counts().await.expect("counted").of(StateName::Processing).value;
    assert!(processing > 1, "{processing} jobs are claimed");
    waiting
}

/// Ends the hogs, also when the watch panics.
struct StopAtEnd(Data<AtomicBool>);

impl Drop for StopAtEnd {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Waits until all servers have beaten at this time.
async fn beat_at(storage: &Arc<dyn Storage>, now: jobs_runtime::clock::Timestamp) {
    for _ in 0..2_000 {
        let servers = storage.servers().await.expect("read");
        if servers.iter().all(|server| server.heartbeat_at >= now) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("no heartbeat at {now}");
}

/// `first` and `second` are only there to have one name.
#[tokio::test]
async fn twins_are_still_functions() {
    twin::first().await;
    twin::second().await;
}
