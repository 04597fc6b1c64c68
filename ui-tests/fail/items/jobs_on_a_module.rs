use jobs_runtime::prelude::*;

#[jobs]
mod mail {}

fn main() {}
