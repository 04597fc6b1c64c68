use jobs_runtime::prelude::*;

pub struct Mailer<T>(T);

#[jobs]
impl<T: Clone> Mailer<T> {
    #[job]
    async fn send(&self, value: T) {
        drop(value);
    }
}

fn main() {
    let _ = Send::enqueue(1);
    let _ = Mailer(1).send(2);
}
