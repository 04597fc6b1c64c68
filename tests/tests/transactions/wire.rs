//! A line to a database server that loses the reply to the commit of a handler's transaction.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// Forwards what clients and the server say, until it is to lose a reply.
pub(crate) struct Wire {
    /// The URL of the server by this line.
    pub(crate) url: String,
    /// How many replies are still to be lost.
    to_lose: Arc<AtomicU32>,
}

/// What a storage says in the transaction of a handler before it commits it, and nobody else says.
const LAST_WORDS: &[u8] = b"RELEASE SAVEPOINT jobs_run";

impl Wire {
    /// A line to the server of `url`, which names host and port.
    pub(crate) async fn new(url: &str) -> Self {
        let (login, rest) = url.split_once('@').expect("a user");
        let (server, path) = rest.split_once('/').expect("a database");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("{login}@{}/{path}", listener.local_addr().expect("an address"));
        let (to_lose, server) = (Arc::new(AtomicU32::new(0)), server.to_owned());
        let of_line = Arc::clone(&to_lose);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, server.clone(), Arc::clone(&of_line)));
            }
        });
        Self { url, to_lose }
    }

    /// Lets the next transaction of a handler be committed, but loses the reply.
    pub(crate) fn lose_a_reply(&self) {
        self.to_lose.store(1, Ordering::SeqCst);
    }

    /// Whether that has happened.
    pub(crate) fn has_lost_it(&self) -> bool {
        self.to_lose.load(Ordering::SeqCst) == 0
    }
}

/// When one side has gone, so does the other.
async fn serve(client: TcpStream, server: String, to_lose: Arc<AtomicU32>) -> io::Result<()> {
    let server = TcpStream::connect(server).await?;
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let (cut, is_cut) = tokio::sync::watch::channel(false);
    let replies = replies(from_server, to_client, is_cut);
    let questions = async move { questions(from_client, to_server, &to_lose, &cut).await };
    tokio::select! {
        ended = replies => ended,
        ended = questions => ended,
    }
}

async fn questions(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    to_lose: &AtomicU32,
    cut: &tokio::sync::watch::Sender<bool>,
) -> io::Result<()> {
    let (mut bytes, mut is_last) = (vec![0; 1 << 16], false);
    loop {
        let length = client.read(&mut bytes).await?;
        let said = &bytes[..length];
        let has = |words: &[u8]| said.windows(words.len()).any(|window| window == words);
        is_last |= has(LAST_WORDS);
        let less = |count: u32| count.checked_sub(1);
        if is_last && has(b"COMMIT") && to_lose.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            cut.send_replace(true);
        }
        if length == 0 {
            return Ok(());
        }
        server.write_all(said).await?;
    }
}

/// What comes after the cut is read, and told to nobody.
async fn replies(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    is_cut: tokio::sync::watch::Receiver<bool>,
) -> io::Result<()> {
    let mut bytes = vec![0; 1 << 16];
    loop {
        let length = server.read(&mut bytes).await?;
        if length == 0 || *is_cut.borrow() {
            return Ok(());
        }
        client.write_all(&bytes[..length]).await?;
    }
}
