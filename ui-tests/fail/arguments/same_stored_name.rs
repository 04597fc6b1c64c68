use jobs_runtime::prelude::*;

#[job]
async fn send(count: u8, _count: u8) {
    let _ = count;
}

fn main() {
    let _ = Send::enqueue(1, 2);
}
