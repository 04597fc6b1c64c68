//! Connections to a database server that end, stall, or lose a reply.

use std::{sync::Arc, time::Duration};

use jobs_runtime::{prelude::*, server::JobServerBuilder, storage::Storage};
use jobs_tests::{Place, on_each_engine, work::Work};

use super::processes::all_done_once;

const TEN_SECONDS: Duration = Duration::from_secs(10);

/// A server whose heartbeat soon tells it of claims whose reply was lost.
fn server(storage: &Arc<dyn Storage>) -> JobServerBuilder {
    let server = JobServer::builder(storage.clone()).discover(false).register::<Work>().workers(5);
    server.heartbeat_interval(Duration::from_millis(200)).server_timeout(Duration::from_secs(3))
}

on_each_engine! {
    // Elsewhere (apalis) connections that were gone for 100 ms ended the worker and stranded its jobs.
    async fn connections_that_the_server_ends_lose_nothing(place: Place) {
        let storage = place.open().await;
        let client = Client::new(storage.clone());
        let server = server(&storage).start().await.expect("started");
        let (mut handles, mut ended) = (Vec::new(), 0);
        for round in 0..10 {
            for n in 0..50 {
                handles.push(Work::enqueue(round * 50 + n).with(&client).await.expect("stored"));
            }
            ended += place.end_connections().await;
        }
        println!("{ended} connections were ended");
        assert!(ended >= 10, "{ended}");
        all_done_once(&place.open().await, &handles).await;
        server.shutdown(TEN_SECONDS).await.expect("shut down");
        storage.close().await;
    }
}
