use jobs_runtime::prelude::*;

pub struct Receipt;

#[job]
async fn send() -> Receipt {
    Receipt
}

fn main() {}
