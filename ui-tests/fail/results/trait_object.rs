use jobs_runtime::prelude::*;

#[job]
async fn send() -> Box<dyn std::any::Any + Send> {
    Box::new(1)
}

fn main() {}
