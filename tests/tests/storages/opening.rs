//! Opening a storage of a database server, and what stands in the way.

use jobs_runtime::{
    prelude::*,
    storage::{StorageError, connect},
};
use jobs_tests::{Place, on_each_engine, work::Work};

/// Why a storage can't be opened.
pub(crate) async fn open_error(url: impl ToString) -> String {
    let url = url.to_string();
    let error = connect(&url).await.expect_err(&url);
    assert!(matches!(error, StorageError::Open { .. } | StorageError::InvalidUrl { .. }), "{error:?}");
    error.to_string()
}

on_each_engine! {
    async fn a_schema_of_a_later_version_is_refused(place: Place) {
        place.open().await.close().await;
        let table = place.table("schema");
        place.sql().await.run(&format!("INSERT INTO {table} (version) VALUES (99)")).await;
        let error = connect(&place.url.to_string()).await.expect_err("refused");
        assert!(matches!(error, StorageError::SchemaTooNew { found: 99, .. }), "{error}");
        assert!(error.to_string().contains("later version of jobs-runtime"), "{error}");
    }

    async fn without_migrating_an_empty_place_is_refused(place: Place) {
        let unmigrated = place.url.clone().with("prepare_schema", "false");
        let error = open_error(&unmigrated).await;
        assert!(error.contains("version 0") && error.contains("`prepare_schema` is off"), "{error}");
        place.open().await.close().await;
        connect(&unmigrated.to_string()).await.expect("opened").close().await;
    }

    // Processes of one program start at the same time.
    async fn many_may_open_an_empty_place_at_once(place: Place) {
        let opening: Vec<_> = (0..6)
            .map(|_| {
                let url = place.url.to_string();
                tokio::spawn(async move { connect(&url).await })
            })
            .collect();
        for opened in opening {
            opened.await.expect("a task").expect("opened").close().await;
        }
    }

    async fn a_missing_database_is_told(place: Place) {
        let error = open_error(place.database.clone().database("jobs_test_of_nobody")).await;
        assert!(error.contains("there is no such database"), "{error}");
    }

    async fn a_closed_storage_says_so(place: Place) {
        let storage = place.open().await;
        storage.close().await;
        assert!(matches!(storage.counts().await.expect_err("closed"), StorageError::Closed { .. }));
        let error = Client::new(storage).enqueue(Work::new(1)).await.expect_err("closed").to_string();
        assert!(error.contains("is closed") && error.contains(place.url.place()), "{error}");
    }
}
