use jobs_runtime::prelude::*;

pub struct Mailer<T>(T);

#[jobs]
impl<T: Clone> Mailer<T> {
    #[job]
    async fn notify(&self, value: T) {
        drop(value);
    }
}

fn main() {
    let _ = Notify::enqueue(1);
    let _ = Mailer(1).notify(2);
}
