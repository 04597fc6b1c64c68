use jobs_runtime::prelude::*;

#[job]
async fn send(_: u8) {}

fn main() {
    let _ = Send::enqueue(1);
}
