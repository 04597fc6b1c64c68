use jobs_runtime::prelude::*;

#[job]
async fn notify(email: impl Into<String>) {
    let _: String = email.into();
}

fn main() {
    let _ = Notify::enqueue("a");
}
