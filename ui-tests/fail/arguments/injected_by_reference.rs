use jobs_runtime::prelude::*;

struct Mailer;

#[job]
async fn send(cx: &JobContext, mailer: &Data<Mailer>) {
    let _ = (cx, mailer);
}

fn main() {
    let _ = Send::enqueue();
}
