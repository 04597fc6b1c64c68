use jobs_runtime::prelude::*;

fn from_v1(name: String) -> String {
    name
}

#[job(version = 2)]
async fn notify() {}

#[job(version = 3, upgrade(v1 = from_v1))]
async fn remind() {}

#[job(version = 2, upgrade(v1 = from_v1))]
async fn greet() {}

fn main() {}
