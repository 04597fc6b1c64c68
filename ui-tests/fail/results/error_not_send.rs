use jobs_runtime::prelude::*;

#[job]
fn notify() -> Result<(), Box<dyn std::error::Error>> {
    Ok(())
}

fn main() {}
