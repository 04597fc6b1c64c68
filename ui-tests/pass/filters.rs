//! Filters beside jobs and impl blocks, and what a program may have of its own names beside them.

use jobs_runtime::{
    filter::{Filter, FilterDescriptor},
    prelude::*,
};

struct Audit;
struct Limit(u32, &'static str);

#[jobs_runtime::async_trait]
impl Filter for Audit {}

#[jobs_runtime::async_trait]
impl Filter for Limit {
    fn name(&self) -> &'static str {
        self.1
    }

    fn order(&self) -> i32 {
        i32::try_from(self.0).unwrap_or_default()
    }
}

const MOST: u32 = 7;

#[job(filters(Audit, Limit(MOST, "limit"), { Limit(1, "block") },))]
async fn notify() {}

struct Office;

#[jobs(filters(Audit), crate = "jobs_runtime")]
impl Office {
    #[job(filters(Limit(2, "method")))]
    async fn file() {}

    #[job]
    async fn burn() {}
}

fn main() {
    let submitted = jobs_runtime::__private::inventory::iter::<FilterDescriptor>.into_iter().count();
    assert_eq!(submitted, 3);
    assert_eq!(Burn::SETTINGS, JobSettings::DEFAULT);
}
