//! What the tests share: the storages they run on, and a world with a client and a clock.

mod engine;
mod faulty;
mod log;
mod mysql;
mod pgbouncer;
mod postgres;
mod private;
mod proxy;
mod random;
mod sql;
mod url;
pub mod work;
mod world;

use std::path::PathBuf;

use jobs_runtime::{
    clock::Clock,
    job::JobId,
    storage::{
        conformance::{Backend, Handles},
        memory::MemoryOptions,
        sqlite::SqliteOptions,
    },
};

pub use self::{
    engine::{Engine, Place, in_a_place, on_a_private_server},
    faulty::Faulty,
    log::{keep_log, logged},
    mysql::{Database, MySql},
    pgbouncer::PgBouncer,
    postgres::{Postgres, Schema},
    private::PrivateServer,
    proxy::Proxy,
    random::Random,
    sql::Sql,
    url::Url,
    world::{World, run},
};

/// Makes of each test one for each storage.
#[macro_export]
macro_rules! on_each_storage {
    ($( $(#[$attribute:meta])* async fn $name:ident($world:ident: World) $body:block )*) => {
        mod cases {
            use super::*;
            $( $(#[$attribute])* pub(super) async fn $name($world: $crate::World) $body )*
        }
        mod memory {
            $( #[test] fn $name() { $crate::run(&$crate::Memory, super::cases::$name); } )*
        }
        mod sqlite {
            $( #[test] fn $name() { $crate::run(&$crate::Sqlite, super::cases::$name); } )*
        }
        mod mysql {
            $( #[test] fn $name() { $crate::run(&$crate::MySql, super::cases::$name); } )*
        }
        mod postgres {
            $( #[test] fn $name() { $crate::run(&$crate::Postgres, super::cases::$name); } )*
        }
    };
}

/// Makes of each test one for each kind of database server, with a place of its own.
#[macro_export]
macro_rules! on_each_engine {
    ($( $(#[$attribute:meta])* async fn $name:ident($place:ident: Place) $body:block )*) => {
        mod cases {
            use super::*;
            $( $(#[$attribute])* pub(super) async fn $name($place: Place) $body )*
        }
        mod mysql {
            $( #[test] fn $name() { $crate::in_a_place($crate::Engine::MySql, super::cases::$name); } )*
        }
        mod postgres {
            $( #[test] fn $name() { $crate::in_a_place($crate::Engine::Postgres, super::cases::$name); } )*
        }
    };
}

/// Makes of each test one for each kind of database server, with a server that it may stop.
#[macro_export]
macro_rules! on_each_private_server {
    ($( $(#[$attribute:meta])* async fn $name:ident($server:ident: PrivateServer) $body:block )*) => {
        mod cases {
            use super::*;
            $( $(#[$attribute])* pub(super) async fn $name($server: PrivateServer) $body )*
        }
        mod mysql {
            mod private_server {
                use super::super::cases;
                $( #[test] fn $name() { $crate::on_a_private_server($crate::Engine::MySql, cases::$name); } )*
            }
        }
        mod postgres {
            mod private_server {
                use super::super::cases;
                $( #[test] fn $name() { $crate::on_a_private_server($crate::Engine::Postgres, cases::$name); } )*
            }
        }
    };
}

/// Jobs in memory.
pub struct Memory;

impl Backend for Memory {
    async fn open(&self, clock: Clock) -> Handles {
        let storage = MemoryOptions::new().clock(clock).open();
        Handles { other: storage.clone(), storage, keep: Box::new(()) }
    }
}

/// Jobs in a SQLite file of a temporary folder.
pub struct Sqlite;

impl Backend for Sqlite {
    async fn open(&self, clock: Clock) -> Handles {
        let (folder, file) = temporary_file();
        let options = SqliteOptions::new(file).clock(clock);
        let storage = options.clone().open().await.expect("a new file");
        let other = options.open().await.expect("the same file");
        Handles { storage, other, keep: Box::new(folder) }
    }
}

/// A file that does not exist yet, in a folder that lives as long as the first value.
pub fn temporary_file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("jobs.db");
    (folder, file)
}

/// A part of a name that nothing else has.
fn unique() -> String {
    JobId::generate(Clock::system().now()).to_string().replace('-', "")
}
