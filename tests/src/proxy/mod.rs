//! A line to a database that tests can cut and stall.

mod address;
mod connection;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{net::TcpListener, sync::watch, task::AbortHandle};

use self::{address::Address, connection::listen};
use crate::{Engine, Random, Url};

/// A line to a database that can be cut and stalled: it passes on what clients and database say, and understands nothing
/// of it.
pub struct Proxy {
    address: SocketAddr,
    line: Arc<Line>,
    listening: AbortHandle,
}

/// What all connections of a proxy share.
struct Line {
    database: Address,
    /// How many connections there were.
    opened: AtomicU64,
    /// The connections before this one pass nothing on.
    stalled_before: watch::Sender<u64>,
    /// Changes when all connections are to be cut.
    cut: watch::Sender<()>,
    /// Of how many pieces one is where its connection is cut; 0 for none.
    cut_one_in: AtomicU64,
    cuts: AtomicU64,
    random: Random,
    /// What a connection asks for, one after the other, before its next reply is held back.
    trap: Mutex<Vec<Vec<u8>>>,
    caught: watch::Sender<bool>,
}

impl Proxy {
    /// A line to the database of `url`.
    pub async fn start(engine: Engine, url: &Url) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its number");
        let line = Arc::new(Line {
            database: Address::of(engine, url),
            opened: AtomicU64::new(0),
            stalled_before: watch::Sender::new(0),
            cut: watch::Sender::new(()),
            cut_one_in: AtomicU64::new(0),
            cuts: AtomicU64::new(0),
            random: Random::new(7),
            trap: Mutex::default(),
            caught: watch::Sender::new(false),
        });
        let listening = tokio::spawn(listen(Arc::clone(&line), listener)).abort_handle();
        Self { address, line, listening }
    }

    /// The URL of the database through this proxy.
    pub fn url(&self, url: &Url) -> Url {
        url.clone().at(self.address)
    }

    /// Passes nothing on, without closing anything.
    pub fn stall(&self) {
        self.line.stalled_before.send_replace(u64::MAX);
    }

    /// Passes nothing on for those who are connected now, as when something on the way has forgotten them. New
    /// connections are as ever.
    pub fn stall_the_connected(&self) {
        self.line.stalled_before.send_replace(self.line.opened.load(Ordering::SeqCst));
    }

    /// Passes on what was held back, and everything that comes.
    pub fn pass(&self) {
        self.line.stalled_before.send_replace(0);
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        self.line.cut.send_replace(());
    }

    /// Cuts a connection at one of so many pieces that come, before, within or behind it; at none for 0.
    pub fn cut_one_in(&self, pieces: u64) {
        self.line.cut_one_in.store(pieces, Ordering::Relaxed);
    }

    /// How often a connection was cut so.
    pub fn cuts(&self) -> u64 {
        self.line.cuts.load(Ordering::Relaxed)
    }

    /// From now on waits until a connection has asked for all of this, one after the other, and the database has replied
    /// to the last. That reply does not come back: it waits until the connection is [cut](Self::cut).
    pub fn hold_the_reply_to(&self, asked: &[&str]) -> impl Future<Output = ()> + use<> {
        *self.line.trap() = asked.iter().map(|part| part.as_bytes().to_vec()).collect();
        self.line.caught.send_replace(false);
        let mut caught = self.line.caught.subscribe();
        async move {
            caught.wait_for(|caught| *caught).await.expect("the proxy is there");
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Line {
    fn trap(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.trap.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a connection has now asked for all that is waited for.
    fn is_trapped(&self, asked: &mut Vec<u8>) -> bool {
        let mut trap = self.trap();
        if trap.is_empty() {
            asked.clear();
            return false;
        }
        let mut rest = &asked[..];
        for part in trap.iter() {
            let Some(at) = rest.windows(part.len()).position(|window| window == part) else { return false };
            rest = &rest[at + part.len()..];
        }
        trap.clear();
        true
    }

    /// How much of a piece still comes through, if the connection is cut there.
    fn cut_at(&self, length: usize) -> Option<usize> {
        let pieces = self.cut_one_in.load(Ordering::Relaxed);
        if pieces == 0 || self.random.below(pieces) > 0 {
            return None;
        }
        self.cuts.fetch_add(1, Ordering::Relaxed);
        Some(length * self.random.below(3) as usize / 2)
    }
}
