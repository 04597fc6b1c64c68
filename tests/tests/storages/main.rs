//! What is each storage's own, beside the suite that all of them pass; and what can happen to those that are databases.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod clocks;
mod contention;
mod lines;
mod mysql;
mod opening;
mod pgbouncer;
mod pools;
mod postgres;
mod processes;
mod reads;
mod refused;
mod restarts;
mod sharing;
mod sqlite;
mod tables;
mod transactions;
mod verbs;
mod volume;
