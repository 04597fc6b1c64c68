use std::time::Duration;

/// A wish for a lock that at most one has at a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LockRequest {
    /// Its name.
    pub name: String,
    /// Who wants it: a text that nobody else has.
    pub owner: String,
    /// For how long it is held, unless it is asked for again by the same owner.
    pub lease: Duration,
}
