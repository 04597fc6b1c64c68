use jobs_runtime::prelude::*;

#[job]
async fn notify() {}

async fn stores() -> Result<(), EnqueueError> {
    let mut tx = String::new();
    Notify::enqueue().in_tx(&mut tx).await?;
    Ok(())
}

fn main() {
    let _ = stores();
}
