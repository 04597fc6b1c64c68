use jobs_runtime::prelude::*;

struct Tenant;

#[job]
async fn notify(#[inject] tenant: Tenant) {
    let _ = tenant;
}

fn main() {}
