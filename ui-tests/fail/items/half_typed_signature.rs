//! The function is still there for those who call it.

use jobs_runtime::prelude::*;

#[job]
async fn notify(number: ) {
    let _ = number;
}

fn main() {
    drop(notify(1));
}
