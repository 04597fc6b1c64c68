use jobs_runtime::prelude::*;

#[job]
async fn notify(a: JobContext, b: jobs_runtime::prelude::JobContext, c: CancellationToken, d: CancellationToken) {
    let _ = (a, b, c, d);
}

fn main() {}
