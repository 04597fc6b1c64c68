use std::{io, path::PathBuf};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
};

use crate::{Engine, Url};

/// Where the database is.
pub(super) enum Address {
    Tcp(String),
    Socket(PathBuf),
}

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Address {
    pub(super) fn of(engine: Engine, url: &Url) -> Self {
        let port = match engine {
            Engine::MySql => 3306,
            Engine::Postgres => 5432,
        };
        let place = url.place().replace("%2F", "/").replace("%2f", "/");
        match place.rsplit_once(':') {
            _ if place.starts_with('/') => Self::Socket(format!("{place}/.s.PGSQL.{port}").into()),
            Some((_, port)) if !port.ends_with(']') => Self::Tcp(place),
            _ => Self::Tcp(format!("{place}:{port}")),
        }
    }

    pub(super) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Tcp(address) => Box::new(TcpStream::connect(address).await?),
            Self::Socket(file) => Box::new(UnixStream::connect(file).await?),
        })
    }
}
