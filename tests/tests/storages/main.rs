//! What is each storage's own, beside the suite that all of them pass.

mod mysql;
mod pgbouncer;
mod postgres;
mod processes;
mod sqlite;
