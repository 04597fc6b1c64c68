use jobs_runtime::prelude::*;

#[job]
async fn notify() -> Result<&'static str, JobError> {
    Ok("sent")
}

fn main() {}
