use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::{job::JobId, storage::ClaimToken};

/// One delivery of one job.
pub(super) type ClaimKey = (JobId, ClaimToken);

/// The claims that this server knows it holds: from the reply to its claim until the outcome is recorded.
///
/// A storage may hold more for it. When the reply to a claim is lost, its jobs are this server's and nobody
/// runs them; since the server lives, nobody rescues them either. The heartbeat finds them.
#[derive(Debug, Default)]
pub(super) struct Claims {
    known: Mutex<HashMap<ClaimKey, Known>>,
    last_look: Mutex<Look>,
    calls_begun: AtomicU64,
    calls_ended: AtomicU64,
    /// Whether any claim was ever revoked: as long as none was, no job need be looked up before it begins.
    any_revoked: AtomicBool,
}

#[derive(Debug)]
struct Known {
    since: Instant,
    revoked: bool,
}

/// What the last heartbeat told of that this server did not know, and how many claims it had begun by then.
#[derive(Debug, Default)]
struct Look {
    unknown: HashSet<ClaimKey>,
    calls_begun: u64,
}

impl Claims {
    /// A call of the storage's `claim` begins; it ends when the returned guard is dropped, after its jobs were
    /// [added](Self::add).
    pub(super) fn call(&self) -> CallGuard<'_> {
        self.calls_begun.fetch_add(1, Ordering::AcqRel);
        CallGuard(&self.calls_ended)
    }

    pub(super) fn add(&self, claims: impl IntoIterator<Item = ClaimKey>) {
        let since = Instant::now();
        let known = claims.into_iter().map(|claim| (claim, Known { since, revoked: false }));
        lock(&self.known).extend(known);
    }

    pub(super) fn remove(&self, claims: impl IntoIterator<Item = ClaimKey>) {
        let mut known = lock(&self.known);
        for claim in claims {
            known.remove(&claim);
        }
    }

    /// The claims that this server has held for at least `age`.
    pub(super) fn older_than(&self, age: Duration) -> Vec<ClaimKey> {
        lock(&self.known).iter().filter(|(_, known)| known.since.elapsed() >= age).map(|(claim, _)| *claim).collect()
    }

    /// Notes that a job was taken away, so that it is not begun.
    pub(super) fn revoke(&self, claim: ClaimKey) {
        if let Some(known) = lock(&self.known).get_mut(&claim) {
            known.revoked = true;
            self.any_revoked.store(true, Ordering::Release);
        }
    }

    pub(super) fn is_revoked(&self, claim: ClaimKey) -> bool {
        self.any_revoked.load(Ordering::Acquire) && lock(&self.known).get(&claim).is_some_and(|known| known.revoked)
    }

    /// Those of the `held` claims whose reply was lost: this server did not know of them at two looks in a row,
    /// and every call that may have brought them has ended in between.
    pub(super) fn lost(&self, held: Vec<ClaimKey>) -> Vec<ClaimKey> {
        let calls_begun = self.calls_begun.load(Ordering::Acquire);
        let calls_ended = self.calls_ended.load(Ordering::Acquire);
        let unknown: HashSet<ClaimKey> = {
            let known = lock(&self.known);
            held.into_iter().filter(|claim| !known.contains_key(claim)).collect()
        };
        let mut last = lock(&self.last_look);
        if calls_ended < last.calls_begun {
            // A reply is slow, and not lost: look again when it has come.
            return Vec::new();
        }
        let lost = unknown.intersection(&last.unknown).copied().collect();
        *last = Look { unknown, calls_begun };
        lost
    }
}

/// Ends a call, however it ends.
pub(super) struct CallGuard<'c>(&'c AtomicU64);

impl Drop for CallGuard<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::Claims;
    use crate::{clock::Timestamp, job::JobId, storage::ClaimToken};

    #[test]
    fn a_claim_is_lost_when_it_is_unknown_at_two_looks_and_no_reply_is_due() {
        let claims = Claims::default();
        let claim = (JobId::generate(Timestamp::UNIX_EPOCH), ClaimToken(1));
        let call = claims.call();
        for _ in 0..5 {
            assert!(claims.lost(vec![claim]).is_empty(), "its reply may still come");
        }
        drop(call);
        let ended = claims.lost(vec![claim]);
        assert_eq!(ended, [claim], "it was unknown before the call ended, and is after");
    }

    #[test]
    fn a_slow_reply_is_not_a_lost_one() {
        let claims = Claims::default();
        let claim = (JobId::generate(Timestamp::UNIX_EPOCH), ClaimToken(1));
        let call = claims.call();
        assert!(claims.lost(vec![claim]).is_empty());
        claims.add([claim]);
        drop(call);
        assert!(claims.lost(vec![claim]).is_empty());
        claims.remove([claim]);
        assert!(claims.lost(vec![claim]).is_empty());
    }
}
