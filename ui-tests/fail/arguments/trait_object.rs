use jobs_runtime::prelude::*;

#[job]
async fn notify(callback: Box<dyn Fn() + Send + Sync>) {
    callback();
}

fn main() {}
