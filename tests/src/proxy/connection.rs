use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::Line;

/// Serves those who connect, until it is dropped.
pub(super) async fn listen(line: Arc<Line>, listener: TcpListener) {
    // They end with this task.
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let number = line.opened.fetch_add(1, Ordering::SeqCst);
        let connection = Connection { line: Arc::clone(&line), number, holds_replies: AtomicBool::new(false) };
        // An error is its end.
        connections.spawn(async move { connection.run(client).await });
    }
}

struct Connection {
    line: Arc<Line>,
    number: u64,
    holds_replies: AtomicBool,
}

impl Connection {
    /// Until one side closes, or it is cut: then both are closed.
    async fn run(&self, client: TcpStream) -> io::Result<()> {
        let mut cut = self.line.cut.subscribe();
        let (from_client, to_client) = client.into_split();
        let (from_database, to_database) = tokio::io::split(self.line.database.connect().await?);
        tokio::select! {
            _ = cut.changed() => Ok(()),
            end = self.requests(from_client, to_database) => end,
            end = self.replies(from_database, to_client) => end,
        }
    }

    async fn requests(&self, mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
        let (mut buffer, mut asked) = (vec![0; 64 * 1024], Vec::new());
        loop {
            let read = from.read(&mut buffer).await?;
            asked.extend_from_slice(&buffer[..read]);
            if self.line.is_trapped(&mut asked) {
                self.holds_replies.store(true, Ordering::SeqCst);
            }
            self.pass(&buffer[..read], &mut to).await?;
        }
    }

    async fn replies(&self, mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = from.read(&mut buffer).await?;
            if self.holds_replies.load(Ordering::SeqCst) {
                self.line.caught.send_replace(true);
                std::future::pending::<()>().await;
            }
            self.pass(&buffer[..read], &mut to).await?;
        }
    }

    /// Passes a piece on when it may, unless the connection is cut here; nothing is the end.
    async fn pass(&self, piece: &[u8], to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let mut stalled_before = self.line.stalled_before.subscribe();
        let stalled = stalled_before.wait_for(|before| self.number >= *before).await.map(drop);
        stalled.map_err(io::Error::other)?;
        let cut_at = self.line.cut_at(piece.len());
        to.write_all(&piece[..cut_at.unwrap_or(piece.len())]).await?;
        if cut_at.is_some() || piece.is_empty() { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}
