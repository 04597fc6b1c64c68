use jobs_runtime::prelude::*;

pub struct Receipt;

#[job]
async fn notify() -> Receipt {
    Receipt
}

fn main() {}
