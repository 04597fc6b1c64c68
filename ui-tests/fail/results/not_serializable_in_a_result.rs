use jobs_runtime::prelude::*;

pub struct Receipt;

#[job]
async fn send() -> Result<Receipt, JobError> {
    Ok(Receipt)
}

fn main() {}
