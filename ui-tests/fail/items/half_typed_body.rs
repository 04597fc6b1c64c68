//! The body is not the macro's business: the compiler reports it, and the job exists.

use jobs_runtime::prelude::*;

#[job]
async fn send(number: u8) {
    let text = number.to_str;
    text.
}

fn main() {
    let _ = Send::new(1);
}
