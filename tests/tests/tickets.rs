//! The tickets of MySQL, one for each transaction that writes.

mod mysql {
    use std::time::Duration;

    use jobs_runtime::{prelude::*, storage::Storage};
    use jobs_tests::{MySql, work::Work};
    use sqlx::{Connection as _, MySqlConnection};

    const COUNT: &str = "SELECT COUNT(*) FROM jobs_ticket";
    const NEWEST: &str = "SELECT MAX(id) FROM jobs_ticket";

    async fn number(connection: &mut MySqlConnection, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(connection).await.expect(query)
    }

    async fn works(storage: &std::sync::Arc<dyn Storage>) {
        let client = Client::new(storage.clone());
        let server = JobServer::builder(storage.clone()).discover(false).register::<Work>().start().await;
        let server = server.expect("started");
        let handle = Work::enqueue(3).with(&client).await.expect("stored");
        assert_eq!(handle.wait(Duration::from_secs(30)).await.expect("done"), 3);
        server.shutdown(Duration::from_secs(10)).await.expect("shut down");
    }

    /// They were kept for ever.
    #[tokio::test(flavor = "multi_thread")]
    async fn old_tickets_are_removed_and_numbers_go_on() {
        let (options, database) = MySql::options().await;
        options.clone().migrate().await.expect("migrated");
        let mut connection = MySqlConnection::connect(&database.url()).await.expect("connected");
        let digits =
            "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6
                       UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)";
        let many =
            format!("INSERT INTO jobs_ticket (id) SELECT NULL FROM {digits} a, {digits} b, {digits} c, {digits} e");
        for _ in 0..4 {
            sqlx::raw_sql(sqlx::AssertSqlSafe(many.clone())).execute(&mut connection).await.expect("inserted");
        }
        let newest = number(&mut connection, NEWEST).await;
        assert!(number(&mut connection, COUNT).await >= 40_000);
        let storage = options.counters_aggregation_interval(Duration::from_millis(50)).open().await.expect("opened");
        for _ in 0..1_000 {
            if number(&mut connection, COUNT).await <= 10_100 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let left = number(&mut connection, COUNT).await;
        assert!((5_000..=10_100).contains(&left), "{left} are left");
        works(&storage).await;
        assert!(number(&mut connection, NEWEST).await > newest);
        storage.close().await;
    }
}
