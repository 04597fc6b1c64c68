//! What a function may return.

use jobs_runtime::{job::Job, prelude::*};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Receipt;

#[derive(Debug, thiserror::Error)]
#[error("failed")]
struct MailError;

type MailResult<T = Receipt> = std::result::Result<T, MailError>;

#[job]
async fn nothing() {}

#[job]
async fn unit() -> () {}

#[job]
async fn value() -> Vec<Receipt> {
    vec![]
}

#[job]
async fn own_error() -> Result<Receipt, MailError> {
    Err(MailError)
}

#[job]
async fn own_alias() -> MailResult {
    Ok(Receipt)
}

#[job]
async fn qualified() -> std::io::Result<()> {
    Ok(())
}

#[job]
async fn anyhow() -> anyhow::Result<Receipt> {
    Ok(Receipt)
}

#[job]
async fn boxed() -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
    Ok(1)
}

#[job]
async fn text_error() -> Result<u8, &'static str> {
    Err("no")
}

#[job]
fn blocking() -> Result<u8, JobError> {
    Ok(1)
}

fn output<J: Job<Output = O>, O>(_: J) {}

fn main() {
    output::<_, ()>(Nothing::new());
    output::<_, ()>(Unit::new());
    output::<_, Vec<Receipt>>(Value::new());
    output::<_, Receipt>(OwnError::new());
    output::<_, Receipt>(OwnAlias::new());
    output::<_, ()>(Qualified::new());
    output::<_, Receipt>(Anyhow::new());
    output::<_, u8>(Boxed::new());
    output::<_, u8>(TextError::new());
    output::<_, u8>(Blocking::new());
    assert!(blocking().is_ok());
}
