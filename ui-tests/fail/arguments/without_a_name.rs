use jobs_runtime::prelude::*;

#[job]
async fn notify(_: u8) {}

fn main() {
    let _ = Notify::enqueue(1);
}
