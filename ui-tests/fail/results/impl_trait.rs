use jobs_runtime::prelude::*;

#[job]
async fn send() -> Result<impl Clone, JobError> {
    Ok(1)
}

fn main() {}
