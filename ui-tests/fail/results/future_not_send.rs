use std::rc::Rc;

use jobs_runtime::prelude::*;

#[job]
async fn notify(count: u8) {
    let shared = Rc::new(count);
    wait().await;
    drop(shared);
}

async fn wait() {}

fn main() {}
