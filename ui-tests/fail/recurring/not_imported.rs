use jobs_runtime::job;

#[job]
#[recurring(cron = "@daily")]
async fn digest() {}

fn main() {}
