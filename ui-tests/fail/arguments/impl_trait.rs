use jobs_runtime::prelude::*;

#[job]
async fn send(email: impl Into<String>) {
    let _: String = email.into();
}

fn main() {
    let _ = Send::enqueue("a");
}
