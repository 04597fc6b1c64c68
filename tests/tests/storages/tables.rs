//! The tables of the database servers, as they tell of them.

use jobs_runtime::{clock::Timestamp, prelude::*};
use jobs_tests::{Engine, Place, on_each_engine, work::Work};

on_each_engine! {
    // Elsewhere (Solid Queue #267) they lock rows of parents, which ends in deadlocks.
    async fn no_table_has_a_foreign_key(place: Place) {
        place.open().await.close().await;
        let keys = match place.engine {
            Engine::MySql => "SELECT constraint_name FROM information_schema.referential_constraints WHERE constraint_schema",
            Engine::Postgres => "SELECT conname::text FROM pg_constraint WHERE contype = 'f' AND connamespace::regnamespace::text",
        };
        let mut sql = place.sql().await;
        assert_eq!(sql.texts(&format!("{keys} = '{}'", place.name)).await, Vec::<String>::new());
        // It sees such as there are.
        let (parent, child) = (place.table("parent"), place.table("child"));
        sql.run(&format!("CREATE TABLE {parent} (id BIGINT PRIMARY KEY)")).await;
        sql.run(&format!("CREATE TABLE {child} (id BIGINT, FOREIGN KEY (id) REFERENCES {parent} (id))")).await;
        assert_eq!(sql.texts(&format!("{keys} = '{}'", place.name)).await.len(), 1);
    }

    // Elsewhere (graphile_worker 0.17.3) the number of a job overflowed after two billions; and (Hangfire.MySqlStorage
    // #30) times that were no integers lost minutes.
    async fn what_counts_numbers_or_tells_the_time_is_an_integer_of_64_bits(place: Place) {
        place.open().await.close().await;
        const SMALL: [&str; 4] = ["priority", "rank", "awaited", "begun"];
        let columns = "SELECT CONCAT(table_name, ' ', column_name, ' ', data_type) FROM information_schema.columns";
        let columns = place.sql().await.texts(&format!("{columns} WHERE table_schema = '{}'", place.name)).await;
        assert!(columns.len() > 50, "{columns:#?}");
        for column in &columns {
            let [_, name, kind] = column.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{column}") };
            let is_integer = kind.ends_with("int") || kind == "integer";
            let is_no_number = ["text", "longtext", "varchar", "uuid", "binary", "boolean"].contains(&kind);
            assert!(kind == "bigint" || is_no_number || is_integer && SMALL.contains(&name), "{column}");
        }
        if place.engine == Engine::Postgres {
            let sequences = "SELECT data_type::text FROM pg_sequences WHERE schemaname";
            let sequences = place.sql().await.texts(&format!("{sequences} = '{}'", place.name)).await;
            assert!(sequences.len() >= 3 && sequences.iter().all(|kind| kind == "bigint"), "{sequences:#?}");
        }
    }

    async fn times_are_kept_to_the_microsecond(place: Place) {
        let client = Client::new(place.open().await);
        for text in ["2038-01-19T03:14:08.000001Z", "2106-02-07T06:28:16.999999Z", "9999-12-31T23:59:58.999999Z"] {
            let at: Timestamp = text.parse().expect("a time");
            let job = client.enqueue(Work::new(1)).at(at).await.expect("stored");
            let details = job.details().await.expect("read").expect("a job");
            assert_eq!(details.history[0].data["at"], text);
            // And so are those of the database's own clock.
            assert_eq!(details.history[0].at, details.job.created_at);
        }
    }
}
