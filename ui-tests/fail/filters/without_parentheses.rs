use jobs_runtime::prelude::*;

#[job(filters = Audit)]
async fn notify() {}

#[job(filters())]
async fn remind() {}

#[job(filter(Audit))]
async fn greet() {}

struct Office;

#[jobs(filters)]
impl Office {
    #[job]
    async fn file() {}
}

fn main() {}
