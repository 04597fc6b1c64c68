use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// How many jobs a server wants to hold.
///
/// As many as it has workers; and, so that workers don't wait for each claim, as many more as it runs within
/// [`AHEAD`]: none where jobs are long, some hundreds where they are tiny.
#[derive(Debug)]
pub(super) struct Demand {
    workers: usize,
    held: AtomicUsize,
    gone: AtomicUsize,
    backlog: AtomicBool,
    wanted: Notify,
    rate: Mutex<Rate>,
}

/// Jobs are claimed ahead for so much time, so that one with a higher priority need not wait for longer.
const AHEAD: Duration = Duration::from_millis(20);

/// The most jobs that are claimed ahead.
const MOST: usize = 2_000;

#[derive(Debug)]
struct Rate {
    since: Instant,
    ended: usize,
    per_second: f64,
}

/// Jobs that count as held while they are being claimed. What is not [claimed](Self::claimed) counts no longer when it is
/// dropped.
pub(super) struct Reservation<'d> {
    demand: &'d Demand,
    jobs: usize,
}

impl Reservation<'_> {
    /// So many were claimed.
    pub(super) fn claimed(mut self, jobs: usize) {
        self.demand.backlog.store(jobs == self.jobs, Ordering::Release);
        self.jobs = self.jobs.saturating_sub(jobs);
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.demand.held.fetch_sub(self.jobs, Ordering::AcqRel);
        self.demand.wanted.notify_one();
    }
}

impl Rate {
    /// The rate now: when nothing has ended for a while it is lower than it was when something did.
    fn present(&self) -> f64 {
        let elapsed = self.since.elapsed();
        if elapsed < AHEAD {
            return self.per_second;
        }
        self.per_second.min(self.ended as f64 / elapsed.as_secs_f64())
    }
}

impl Demand {
    pub(super) fn new(workers: usize) -> Self {
        let rate = Rate { since: Instant::now(), ended: 0, per_second: 0.0 };
        Self {
            workers,
            held: AtomicUsize::new(0),
            gone: AtomicUsize::new(0),
            backlog: AtomicBool::new(false),
            wanted: Notify::new(),
            rate: Mutex::new(rate),
        }
    }

    /// How many jobs to claim now; 0 as long as there are enough.
    pub(super) fn wanted(&self) -> usize {
        let target = self.workers + self.ahead();
        let held = self.held.load(Ordering::Acquire);
        let short = held < self.workers || held <= target / 2;
        if short { target.saturating_sub(held) } else { 0 }
    }

    /// Whether the last claim got all that it wanted, so that there is more.
    pub(super) fn has_backlog(&self) -> bool {
        self.backlog.load(Ordering::Acquire)
    }

    /// How many jobs to claim with a call that is made anyway: as many as otherwise, if there is a backlog.
    ///
    /// More often would be fewer calls, but then claims and outcomes would wait for each other.
    pub(super) fn wanted_besides(&self) -> usize {
        if self.has_backlog() { self.wanted() } else { 0 }
    }

    /// So many jobs are about to be claimed, and by nobody else.
    pub(super) fn reserve(&self, jobs: usize) -> Reservation<'_> {
        self.held.fetch_add(jobs, Ordering::AcqRel);
        Reservation { demand: self, jobs }
    }

    /// A job is no longer held.
    pub(super) fn released(&self) {
        self.held.fetch_sub(1, Ordering::AcqRel);
        self.wanted.notify_one();
    }

    /// A worker ended.
    pub(super) fn worker_gone(&self) {
        self.gone.fetch_add(1, Ordering::AcqRel);
        self.wanted.notify_one();
    }

    pub(super) fn has_no_workers(&self) -> bool {
        self.gone.load(Ordering::Acquire) >= self.workers
    }

    /// Waits until a job is no longer held.
    pub(super) async fn changed(&self) {
        self.wanted.notified().await;
    }

    /// Notes that jobs have ended, for the rate at which they do.
    pub(super) fn ended(&self, jobs: usize) {
        let mut rate = self.rate.lock().unwrap_or_else(PoisonError::into_inner);
        rate.ended += jobs;
        let elapsed = rate.since.elapsed();
        if elapsed >= AHEAD / 4 {
            let now = rate.ended as f64 / elapsed.as_secs_f64();
            *rate = Rate { since: Instant::now(), ended: 0, per_second: (rate.per_second + now) / 2.0 };
        }
    }

    fn ahead(&self) -> usize {
        let rate = self.rate.lock().unwrap_or_else(PoisonError::into_inner).present();
        // A fraction of a job is none: long jobs are not claimed ahead.
        ((rate * AHEAD.as_secs_f64()) as usize).min(MOST)
    }
}
