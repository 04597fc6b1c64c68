use jobs_runtime::prelude::*;

type Outcome = Result<u8, String>;

#[job]
async fn send() -> Outcome {
    Ok(1)
}

fn main() {}
