use jobs_runtime::prelude::*;

#[job]
async fn send(#[inject(later)] cx: JobContext) {
    let _ = cx;
}

fn main() {}
