use jobs_runtime::prelude::*;

#[job]
async fn send<T: Clone, const N: usize>(value: [T; N]) {
    drop(value);
}

fn main() {
    let _ = Send::enqueue([1, 2]);
}
