use jobs_runtime::prelude::*;

#[job]
async fn send() -> Result<&'static str, JobError> {
    Ok("sent")
}

fn main() {}
