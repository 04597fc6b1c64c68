use jobs_runtime::prelude::*;

pub struct Mailer<T>(T);

#[jobs]
impl Mailer<u8> {
    #[job]
    async fn notify(&self) {}
}

fn main() {}
