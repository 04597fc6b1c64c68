use jobs_runtime::prelude::*;

#[job]
async fn notify(#[serde(default)] cx: JobContext) {
    let _ = cx;
}

fn main() {}
