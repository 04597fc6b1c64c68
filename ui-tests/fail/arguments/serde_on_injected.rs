use jobs_runtime::prelude::*;

#[job]
async fn send(#[serde(default)] cx: JobContext) {
    let _ = cx;
}

fn main() {}
