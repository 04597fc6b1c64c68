use std::{sync::Arc, time::Duration};

use jobs_runtime::{
    Client, JobServer,
    job::JobId,
    server::JobServerBuilder,
    state::StateName,
    storage::{
        JobDetails, Storage,
        conformance::{self, Backend, Fixture},
    },
    testing::TestClock,
};

/// A storage with a client and a clock that stands still.
pub struct World {
    /// The storage.
    pub storage: Arc<dyn Storage>,
    /// A second handle to it, as another process would have.
    pub other: Arc<dyn Storage>,
    /// A client of it.
    pub client: Client,
    /// Its clock.
    pub clock: TestClock,
}

/// Runs a test on a fresh storage of `backend`, with its client as the current one.
pub fn run<B: Backend, F: AsyncFnOnce(World)>(backend: &B, test: F) {
    conformance::run(backend, async |fixture: Fixture| {
        let Fixture { storage, other, clock } = fixture;
        let client = Client::new(storage.clone());
        let world = World { storage, other, client: client.clone(), clock };
        client.scope(test(world)).await;
    });
}

impl World {
    /// A server that has no handlers but those that the test registers.
    pub fn server(&self) -> JobServerBuilder {
        JobServer::builder(self.storage.clone()).discover(false).workers(4)
    }

    /// Waits until a job is in a state, for at most ten seconds of real time.
    pub async fn until(&self, id: impl Into<JobId>, state: StateName) -> JobDetails {
        self.until_nth(id, state, 1).await
    }

    /// Waits until a job is in a state for the `n`-th time.
    pub async fn until_nth(&self, id: impl Into<JobId>, state: StateName, n: usize) -> JobDetails {
        let id = id.into();
        let mut last = None;
        for _ in 0..2_000 {
            let details = self.details(id).await;
            let times = details.history.iter().filter(|entry| entry.state == state).count();
            if details.job.state == state && times >= n {
                return details;
            }
            last = Some(details);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("job {id} did not become {state} {n} times: {last:#?}");
    }

    /// All that is known of a job, which must be there.
    pub async fn details(&self, id: impl Into<JobId>) -> JobDetails {
        self.client.job(id).await.expect("read").expect("a job")
    }

    /// How often a job entered a state.
    pub async fn times(&self, id: impl Into<JobId>, state: StateName) -> usize {
        self.details(id).await.history.iter().filter(|entry| entry.state == state).count()
    }
}
