use jobs_runtime::prelude::*;

struct User;

#[job]
async fn notify(email: &str, user: &User, tags: Option<&[&'static str]>) {
    let _ = (email, user, tags);
}

fn main() {
    let _ = Notify::enqueue("a", &User, None::<u8>);
}
