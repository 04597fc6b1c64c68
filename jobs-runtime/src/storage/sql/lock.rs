use super::session::{Verb, Write, params};
use crate::{
    clock::after,
    storage::{LockRequest, StorageResult},
};

/// Takes a lock, or holds it for longer.
pub(crate) struct TakeLock(pub(crate) LockRequest);

impl Verb for TakeLock {
    type Answer = bool;

    async fn run<S: Write>(&self, tx: &mut S) -> StorageResult<bool> {
        const UPDATE: &str = "
            UPDATE {p}named_lock SET owner = ?, held_until = ?
            WHERE name = ? AND (owner = ? OR held_until <= ?)";
        const INSERT: &str = "
            {insert_new} INTO {p}named_lock (name, owner, held_until)
            VALUES (?, ?, ?)
            {if_new}";
        let LockRequest { name, owner, lease } = &self.0;
        let (now, until) = (tx.now(), after(tx.now(), *lease));
        let (name, owner) = (name.as_str(), owner.as_str());
        if tx.execute(UPDATE, params![owner, until, name, owner, now]).await? == 1 {
            return Ok(true);
        }
        // Nobody has it, or another one does.
        let is_new = tx.execute(INSERT, params![name, owner, until]).await? == 1;
        if is_new {
            // What owners who died have left.
            tx.execute("DELETE FROM {p}named_lock WHERE held_until <= ?", params![now]).await?;
        }
        Ok(is_new)
    }
}

/// Lets a lock go, if it is its owner's.
pub(crate) struct ReleaseLock(pub(crate) String, pub(crate) String);

impl Verb for ReleaseLock {
    type Answer = bool;

    async fn run<S: Write>(&self, tx: &mut S) -> StorageResult<bool> {
        let Self(name, owner) = self;
        let (name, owner) = (name.as_str(), owner.as_str());
        let released =
            tx.execute("DELETE FROM {p}named_lock WHERE name = ? AND owner = ?", params![name, owner]).await?;
        Ok(released == 1)
    }
}
