use jobs_runtime::prelude::*;

pub struct Mailer<T>(T);

#[jobs]
impl Mailer<u8> {
    #[job]
    async fn send(&self) {}
}

fn main() {}
