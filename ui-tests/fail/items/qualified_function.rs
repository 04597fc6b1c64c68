use jobs_runtime::prelude::*;

#[job]
const fn constant() {}

#[job]
async unsafe fn dangerous() {}

#[job]
extern "C" fn foreign(number: u8) {}

fn main() {}
