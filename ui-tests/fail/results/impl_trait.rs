use jobs_runtime::prelude::*;

#[job]
async fn notify() -> Result<impl Clone, JobError> {
    Ok(1)
}

fn main() {}
