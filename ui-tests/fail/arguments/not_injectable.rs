use jobs_runtime::prelude::*;

struct Tenant;

#[job]
async fn send(#[inject] tenant: Tenant) {
    let _ = tenant;
}

fn main() {}
