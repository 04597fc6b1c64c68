use jobs_runtime::prelude::*;

#[job]
async fn send(callback: Box<dyn Fn() + Send + Sync>) {
    callback();
}

fn main() {}
