use std::cell::Cell;

use jobs_runtime::prelude::*;

#[job]
async fn send(counter: Data<Cell<u8>>) {
    let _ = counter;
}

fn main() {}
