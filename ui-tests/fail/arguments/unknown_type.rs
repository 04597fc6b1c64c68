use jobs_runtime::prelude::*;

#[job]
async fn notify(user: Usr) {
    let _ = user;
}

fn main() {
    let _ = Notify::enqueue(1);
}
