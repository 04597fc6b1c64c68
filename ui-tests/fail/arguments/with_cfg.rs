use jobs_runtime::prelude::*;

#[job]
async fn notify(#[cfg(unix)] count: u8) {
    let _ = count;
}

fn main() {}
