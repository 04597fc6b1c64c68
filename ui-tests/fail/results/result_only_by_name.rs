use jobs_runtime::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
pub struct SearchResult;

#[job]
async fn search() -> SearchResult {
    SearchResult
}

fn main() {}
