use jobs_runtime::prelude::*;

#[job]
pub struct Send;

fn main() {
    let _ = Send;
}
