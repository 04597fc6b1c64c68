use jobs_runtime::prelude::*;

pub struct Pool;

type Db = Data<Pool>;

#[job]
async fn notify(db: Db) {
    let _ = db;
}

fn main() {}
