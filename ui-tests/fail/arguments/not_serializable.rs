use jobs_runtime::prelude::*;

pub struct User {
    pub id: u64,
}

#[job]
async fn notify(count: u8, user: User) {
    let _ = (count, user.id);
}

fn main() {
    let _ = Notify::enqueue(1, User { id: 1 });
}
