use jobs_runtime::prelude::*;

#[job]
async fn notify((a, b): (u8, u8), [c, d]: [u8; 2], ref e: u8) {
    let _ = (a, b, c, d, e);
}

fn main() {
    let _ = Notify::enqueue((1, 2), [3, 4], 5);
}
