use jobs_runtime::prelude::*;

#[job]
pub struct Notify;

fn main() {
    let _ = Notify;
}
