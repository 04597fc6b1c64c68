use jobs_runtime::prelude::*;

#[derive(serde::Serialize)]
pub struct User {
    pub id: u64,
}

#[job]
async fn notify(#[serde(default)] users: Vec<User>) {
    drop(users);
}

fn main() {}
