//! A library that a server links only for its jobs; see `tests/linked.rs`.

use jobs_runtime::prelude::*;

/// Says hello.
#[job(name = "linked.hello")]
pub async fn hello(name: String) -> String {
    format!("hello {name}")
}
