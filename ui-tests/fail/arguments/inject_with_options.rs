use jobs_runtime::prelude::*;

#[job]
async fn notify(#[inject(later)] cx: JobContext) {
    let _ = cx;
}

fn main() {}
