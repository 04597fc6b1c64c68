//! Locks that programs hold.

use super::tables::Tables;
use crate::{
    clock::{Timestamp, after},
    storage::LockRequest,
};

impl Tables {
    pub(super) fn lock(&mut self, request: LockRequest, now: Timestamp) -> bool {
        self.locks.retain(|_, (_, until)| *until > now);
        let LockRequest { name, owner, lease } = request;
        let (holder, until) = self.locks.entry(name).or_insert_with(|| (owner.clone(), now));
        let is_held = *holder == owner;
        if is_held {
            *until = after(now, lease);
        }
        is_held
    }

    pub(super) fn unlock(&mut self, name: &str, owner: &str) -> bool {
        let is_held = self.locks.get(name).is_some_and(|(holder, _)| holder == owner);
        if is_held {
            self.locks.remove(name);
        }
        is_held
    }
}
