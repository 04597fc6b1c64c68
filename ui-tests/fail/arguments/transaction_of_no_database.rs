use jobs_runtime::prelude::*;

struct Sqlite;

#[job]
async fn notify(mut tx: JobTx<Sqlite>) {
    let _ = tx;
}

fn main() {}
