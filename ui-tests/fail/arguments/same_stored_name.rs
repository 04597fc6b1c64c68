use jobs_runtime::prelude::*;

#[job]
async fn notify(count: u8, _count: u8) {
    let _ = count;
}

fn main() {
    let _ = Notify::enqueue(1, 2);
}
