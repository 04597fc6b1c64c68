//! The storage's clock is the database's, so that all processes have the same.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use tokio::runtime::Handle;

use super::{Connection, Driver, Shared};
use crate::clock::Clock;

/// How often the database is asked for the time.
const INTERVAL: Duration = Duration::from_secs(60);

/// Keeps the storage's clock at the database's, for as long as there is the storage.
pub(super) fn follow<D: Driver>(thread: &Handle, shared: &Arc<Shared<D>>) {
    let Some(shift) = shared.shift.clone() else { return };
    let weak: Weak<Shared<D>> = Arc::downgrade(shared);
    shared.beside(thread, async move {
        loop {
            tokio::time::sleep(INTERVAL).await;
            let Some(shared) = weak.upgrade() else { return };
            let Ok(mut connection) = shared.acquire().await else { continue };
            let measured = shared.in_time(measure::<D>(&mut connection)).await;
            match shared.give_back(connection, measured.map(|measured| measured.map_err(|error| shared.failed(error))))
            {
                Ok(measured) => shift.store(measured, Ordering::Relaxed),
                Err(error) => tracing::debug!(%error, "the database did not tell the time"),
            }
        }
    });
}

/// By how many microseconds the database's clock is ahead of this machine's; of some tries the one that took the least
/// time.
pub(super) async fn measure<D: Driver>(connection: &mut Connection<D>) -> sqlx::Result<i64> {
    let system = Clock::system();
    let mut best = (i64::MAX, 0);
    for _ in 0..3 {
        let asked = system.now().timestamp_micros();
        let told = D::time(connection).await?;
        let answered = system.now().timestamp_micros();
        best = best.min((answered - asked, told - asked - (answered - asked) / 2));
    }
    Ok(best.1)
}
