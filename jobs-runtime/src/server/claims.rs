use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{job::JobId, storage::ClaimToken};

/// One delivery of one job.
pub(super) type ClaimKey = (JobId, ClaimToken);

/// The claims that this server knows it holds: from the reply to its claim until the outcome is recorded.
///
/// A storage may hold more for it. When the reply to a claim is lost, its jobs are this server's and nobody
/// runs them; since the server lives, nobody rescues them either. The heartbeat finds them.
#[derive(Debug, Default)]
pub(super) struct Claims {
    known: Mutex<HashSet<ClaimKey>>,
    unknown_before: Mutex<HashSet<ClaimKey>>,
}

impl Claims {
    pub(super) fn add(&self, claims: impl IntoIterator<Item = ClaimKey>) {
        lock(&self.known).extend(claims);
    }

    pub(super) fn remove(&self, claims: impl IntoIterator<Item = ClaimKey>) {
        let mut known = lock(&self.known);
        for claim in claims {
            known.remove(&claim);
        }
    }

    /// Those of the `held` claims that this server has not known of at two looks in a row: between a claim and
    /// its reply one look is to be expected.
    pub(super) fn lost(&self, held: Vec<ClaimKey>) -> Vec<ClaimKey> {
        let unknown: HashSet<ClaimKey> = {
            let known = lock(&self.known);
            held.into_iter().filter(|claim| !known.contains(claim)).collect()
        };
        let before = std::mem::replace(&mut *lock(&self.unknown_before), unknown.clone());
        unknown.intersection(&before).copied().collect()
    }
}

fn lock(claims: &Mutex<HashSet<ClaimKey>>) -> MutexGuard<'_, HashSet<ClaimKey>> {
    claims.lock().unwrap_or_else(PoisonError::into_inner)
}
