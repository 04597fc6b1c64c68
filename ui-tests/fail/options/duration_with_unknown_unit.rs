use jobs_runtime::prelude::*;

#[job(timeout = "30seconds")]
async fn notify() {}

#[job(timeout = "1m 30sec")]
async fn send_later() {}

#[job(timeout = "30fortnights")]
async fn send_much_later() {}

#[job(timeout = "soon")]
async fn send_soon() {}

fn main() {}
