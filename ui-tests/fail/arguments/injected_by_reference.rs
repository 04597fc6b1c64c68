use jobs_runtime::prelude::*;

struct Mailer;

#[job]
async fn notify(cx: &JobContext, mailer: &Data<Mailer>) {
    let _ = (cx, mailer);
}

fn main() {
    let _ = Notify::enqueue();
}
