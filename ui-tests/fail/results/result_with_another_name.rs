use jobs_runtime::prelude::*;

type Outcome = Result<u8, String>;

#[job]
async fn notify() -> Outcome {
    Ok(1)
}

fn main() {}
