#![doc = include_str!("../README.md")]

pub mod client;
pub mod clock;
pub mod filter;
pub mod job;
pub mod prelude;
pub mod schedule;
pub mod server;
pub mod state;
pub mod storage;
pub mod testing;

#[doc(hidden)]
pub mod __private;

pub use async_trait::async_trait;
pub use client::{Client, set_client};
pub use jobs_macros::{job, jobs, recurring};
pub use server::JobServer;
