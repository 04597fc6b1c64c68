use jobs_runtime::prelude::*;

#[job]
async fn notify() -> ! {
    loop {}
}

fn main() {}
