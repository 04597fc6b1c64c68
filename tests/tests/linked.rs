//! A library crate whose jobs a program has only because it links the crate.

use std::time::Duration;

use jobs_runtime::{Client, JobServer, job::Invocation, storage};
// Nothing of it is named: that it is mentioned is what links it, and its jobs register themselves.
use linked_jobs as _;

#[tokio::test]
async fn the_jobs_of_a_linked_library_are_found() {
    let storage = storage::connect("memory:").await.expect("memory");
    let client = Client::new(storage.clone());
    let server = JobServer::builder(storage).start().await.expect("started");
    let name = "linked.hello".parse().expect("a name");
    let call = Invocation::new(name, &serde_json::json!({ "name": "Ada" })).expect("JSON");
    let hello = client.prepare(call).expect("prepared");
    let hello = client.enqueue_all([hello]).await.expect("stored").remove(0);
    assert_eq!(hello.wait(Duration::from_secs(10)).await.expect("done"), "hello Ada");
    server.shutdown(Duration::from_secs(5)).await.expect("shut down");
}
