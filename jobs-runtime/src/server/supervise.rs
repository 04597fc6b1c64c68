use std::{fmt::Display, future::Future, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use tracing::{error, warn};

use super::shared::Shared;

/// Runs a background process, and starts it again after an error or a panic, until it ends by itself.
///
/// The first of several errors in a row is logged; all are in the server's health.
pub(super) async fn supervise<P, F, E>(shared: &Shared, name: &'static str, process: P)
where
    P: Fn() -> F,
    F: Future<Output = Result<(), E>>,
    E: Display,
{
    let mut backoff = Backoff::default();
    loop {
        let began = tokio::time::Instant::now();
        match AssertUnwindSafe(process()).catch_unwind().await {
            Ok(Ok(())) => return,
            Ok(Err(source)) => {
                if shared.health.failed(name, &source) {
                    warn!(process = name, error = %source, "a background process failed; it is tried again");
                }
            }
            Err(_) => {
                shared.health.failed(name, &"it panicked");
                error!(process = name, "a background process panicked; it is started again");
            }
        }
        if began.elapsed() > Backoff::LONGEST {
            backoff = Backoff::default();
        }
        backoff.wait().await;
    }
}

/// Growing pauses between tries: 50 ms, twice as long each time, at most 5 s, each shortened by chance.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    tries: u32,
}

impl Backoff {
    pub(super) const LONGEST: Duration = Duration::from_secs(5);

    pub(super) async fn wait(&mut self) {
        let pause = Duration::from_millis(50).saturating_mul(1 << self.tries.min(10)).min(Self::LONGEST);
        self.tries += 1;
        tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
    }
}
