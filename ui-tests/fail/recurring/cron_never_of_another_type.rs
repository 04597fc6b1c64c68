use jobs_runtime::prelude::*;

struct Cron;

impl Cron {
    fn never() -> u8 {
        0
    }
}

#[job]
#[recurring(cron = Cron::never())]
async fn digest() {}

fn main() {}
