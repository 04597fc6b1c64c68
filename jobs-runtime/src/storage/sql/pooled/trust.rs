//! Which connections of a pool are used without a look whether they still are some, and how long a look may take.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long a connection may have been idle.
const TRUSTED: Duration = Duration::from_secs(1);

/// How long a look may take: what something on the way has forgotten never answers.
pub(crate) const LOOK: Duration = Duration::from_secs(2);

/// When something last failed on a connection: what ended one, a fail-over or a restart, may have ended all. Whoever
/// asks again after an error must not get the next of them that is gone.
#[derive(Debug, Default)]
pub(super) struct Trust(Mutex<Option<Instant>>);

impl Trust {
    pub(super) fn lose(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether a connection can be used unseen that was last used so long ago.
    pub(super) fn covers(&self, idle_for: Duration) -> bool {
        let lost = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle_for < TRUSTED && lost.is_none_or(|lost| lost.elapsed() > idle_for)
    }
}

/// Whether a connection answered in time.
pub(super) async fn answered(ping: impl Future<Output = sqlx::Result<()>>) -> sqlx::Result<bool> {
    tokio::time::timeout(LOOK, ping).await.map_or(Err(sqlx::Error::PoolTimedOut), |answer| answer.map(|()| true))
}

/// Lets a connection go back into its pool, which looks at it first; if it does not answer, it is ended. The pool itself
/// would wait for ever, and have one place less.
pub(super) async fn returned(back: impl Future<Output = ()>) {
    let _ = tokio::time::timeout(LOOK, back).await;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Trust;

    #[test]
    fn what_was_used_after_the_last_failure_is_trusted() {
        let trust = Trust::default();
        let (before, after) = (Duration::from_millis(900), Duration::ZERO);
        assert!(trust.covers(before) && trust.covers(after));
        assert!(!trust.covers(Duration::from_secs(2)));
        trust.lose();
        std::thread::sleep(Duration::from_millis(1));
        assert!(!trust.covers(before) && trust.covers(after));
    }
}
