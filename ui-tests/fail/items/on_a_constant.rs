use jobs_runtime::prelude::*;

#[job]
const SEND: u8 = 1;

fn main() {}
