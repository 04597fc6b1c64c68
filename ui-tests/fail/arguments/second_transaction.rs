use jobs_runtime::prelude::*;
use sqlx::Sqlite;

#[job]
async fn notify(a: JobTx<Sqlite>, b: jobs_runtime::storage::JobTx<Sqlite>, c: &JobTx<Sqlite>) {
    let _ = (a, b, c);
}

fn main() {
    let _ = Notify::enqueue();
}
