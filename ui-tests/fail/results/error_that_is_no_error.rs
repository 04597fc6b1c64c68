use jobs_runtime::prelude::*;

#[derive(Debug)]
pub struct MailError;

#[job]
async fn notify() -> Result<(), MailError> {
    Err(MailError)
}

fn main() {}
