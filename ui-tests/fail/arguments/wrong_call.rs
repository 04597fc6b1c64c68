//! What callers see who get an argument wrong.

use jobs_runtime::prelude::*;

#[job]
async fn send(user_id: i64, email: String) {
    let _ = (user_id, email);
}

fn main() {
    let _ = Send::enqueue("ada@example.org", 42);
    let _ = Send::enqueue(42);
}
