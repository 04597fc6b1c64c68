use std::{fmt, sync::Arc};

use crate::{clock::Timestamp, job::QueueName};

/// The identity of one running server: host, process and a random part.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(Arc<str>);

impl ServerId {
    /// An id of one's own; it must differ from that of every other server of the storage.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// A new id, from the host's name, the process id and chance.
    #[must_use]
    pub fn generate() -> Self {
        let host = gethostname::gethostname();
        Self::new(format!("{}:{}:{:08x}", host.to_string_lossy(), std::process::id(), fastrand::u32(..)))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerId({self})")
    }
}

/// What a server says of itself with each heartbeat.
#[derive(Clone, PartialEq, Debug)]
pub struct ServerRecord {
    /// Which server.
    pub id: ServerId,
    /// Since when it runs.
    pub started_at: Timestamp,
    /// The queues it takes jobs from, the most important first.
    pub queues: Vec<QueueName>,
    /// How many jobs it runs at once.
    pub workers: usize,
}
