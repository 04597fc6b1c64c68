use jobs_runtime::prelude::*;

#[job]
async fn send(user: Usr) {
    let _ = user;
}

fn main() {
    let _ = Send::enqueue(1);
}
