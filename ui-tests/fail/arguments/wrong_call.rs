//! What callers see who get an argument wrong.

use jobs_runtime::prelude::*;

#[job]
async fn notify(user_id: i64, email: String) {
    let _ = (user_id, email);
}

fn main() {
    let _ = Notify::enqueue("ada@example.org", 42);
    let _ = Notify::enqueue(42);
}
