use jobs_runtime::prelude::*;

pub struct Mailer;

#[jobs]
impl Mailer {
    pub async fn notify(&self) {}
}

fn main() {}
