use jobs_runtime::prelude::*;

pub struct Receipt;

#[job]
async fn notify() -> Result<Receipt, JobError> {
    Ok(Receipt)
}

fn main() {}
