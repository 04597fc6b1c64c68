use jobs_runtime::prelude::*;

#[job]
fn send() -> Result<(), Box<dyn std::error::Error>> {
    Ok(())
}

fn main() {}
