use jobs_runtime::prelude::*;

#[job]
async fn notify() -> Box<dyn std::any::Any + Send> {
    Box::new(1)
}

fn main() {}
