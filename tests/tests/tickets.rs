//! The tickets of MySQL, one for each transaction that writes.

mod mysql {
    use std::time::Duration;

    use jobs_runtime::{
        prelude::*,
        storage::{Storage, Topic},
    };
    use jobs_tests::{Database, MySql, work::Work};
    use sqlx::{Connection as _, MySqlConnection};

    const TEN_SECONDS: Duration = Duration::from_secs(10);
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

    async fn connect(database: &Database) -> MySqlConnection {
        MySqlConnection::connect(&database.url()).await.expect("connected")
    }

    async fn run(connection: &mut MySqlConnection, statement: &str) {
        let statement = sqlx::AssertSqlSafe(statement.to_owned());
        sqlx::raw_sql(statement).execute(connection).await.expect("done");
    }

    /// Takes 200,000 tickets.
    async fn take_many(connection: &mut MySqlConnection) {
        let digits =
            "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6
                       UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)";
        let from = ["a", "b", "c", "e", "f"].map(|name| format!("{digits} {name}")).join(", ");
        for _ in 0..2 {
            run(connection, &format!("INSERT INTO jobs_ticket (id) SELECT NULL FROM {from}")).await;
        }
        assert!(number(connection, COUNT).await >= 200_000);
    }

    /// Waits until few tickets are left, and returns how many.
    async fn few(connection: &mut MySqlConnection) -> i64 {
        for _ in 0..3_000 {
            if number(connection, COUNT).await <= 100_100 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        number(connection, COUNT).await
    }

    /// They were kept for ever.
    #[tokio::test(flavor = "multi_thread")]
    async fn old_tickets_are_removed_and_numbers_go_on() {
        let (options, database) = MySql::options().await;
        options.clone().migrate().await.expect("migrated");
        let mut connection = connect(&database).await;
        take_many(&mut connection).await;
        let newest = number(&mut connection, NEWEST).await;
        let storage = options.counters_aggregation_interval(Duration::from_millis(50)).open().await.expect("opened");
        let left = few(&mut connection).await;
        assert!((50_000..=100_100).contains(&left), "{left} are left");
        works(&storage).await;
        assert!(number(&mut connection, NEWEST).await > newest);
        storage.close().await;
    }

    // The removal waited for the end of that transaction.
    #[tokio::test(flavor = "multi_thread")]
    async fn an_open_transaction_keeps_no_ticket_but_its_own() {
        let (options, database) = MySql::options().await;
        options.clone().migrate().await.expect("migrated");
        let mut open = connect(&database).await;
        run(&mut open, "START TRANSACTION; INSERT INTO jobs_ticket (id) VALUES (NULL)").await;
        let mut connection = connect(&database).await;
        take_many(&mut connection).await;
        let storage = options.counters_aggregation_interval(Duration::from_millis(50)).open().await.expect("opened");
        let left = few(&mut connection).await;
        assert!((50_000..=100_100).contains(&left), "{left} are left");
        run(&mut open, "COMMIT").await;
        storage.close().await;
    }

    // Others look for what is newer than the newest they have seen, and missed it until their safety poll.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_ticket_that_is_committed_after_newer_ones_wakes_who_waits() {
        const TAKE: &str = "INSERT INTO jobs_ticket (id) VALUES (NULL)";
        let (options, database) = MySql::options().await;
        let storage = options.open().await.expect("opened");
        let mut waiter = storage.signals().subscribe(Topic::Ready);
        let (mut slow, mut quick) = (connect(&database).await, connect(&database).await);
        run(&mut slow, &format!("START TRANSACTION; {TAKE}")).await;
        let woken = async {
            loop {
                run(&mut quick, TAKE).await;
                // Before it has looked for the first time nothing is news.
                if tokio::time::timeout(Duration::from_secs(1), waiter.changed()).await.is_ok() {
                    return;
                }
            }
        };
        tokio::time::timeout(TEN_SECONDS, woken).await.expect("woken by the newer one");
        run(&mut slow, "COMMIT").await;
        tokio::time::timeout(TEN_SECONDS, waiter.changed()).await.expect("woken by the older one");
        storage.close().await;
    }
}
