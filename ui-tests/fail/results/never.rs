use jobs_runtime::prelude::*;

#[job]
async fn send() -> ! {
    loop {}
}

fn main() {}
