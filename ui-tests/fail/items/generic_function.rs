use jobs_runtime::prelude::*;

#[job]
async fn notify<T: Clone, const N: usize>(value: [T; N]) {
    drop(value);
}

fn main() {
    let _ = Notify::enqueue([1, 2]);
}
