//! The body is not the macro's business: the compiler reports it, and the job exists.

use jobs_runtime::prelude::*;

#[job]
async fn notify(number: u8) {
    let text = number.to_str;
    text.
}

fn main() {
    let _ = Notify::new(1);
}
