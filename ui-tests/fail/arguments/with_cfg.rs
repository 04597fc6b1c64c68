use jobs_runtime::prelude::*;

#[job]
async fn send(#[cfg(unix)] count: u8) {
    let _ = count;
}

fn main() {}
