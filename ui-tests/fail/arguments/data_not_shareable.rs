use std::cell::Cell;

use jobs_runtime::prelude::*;

#[job]
async fn notify(counter: Data<Cell<u8>>) {
    let _ = counter;
}

fn main() {}
