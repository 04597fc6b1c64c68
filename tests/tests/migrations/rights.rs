//! What a program may be denied: the right to make and change tables. The rights it needs are those that
//! docs/storages.md grants. Users are made for that, so it is done on servers of these tests' own.

use std::sync::atomic::{AtomicU32, Ordering};

use jobs_runtime::{
    clock::Clock,
    storage::{
        conformance::{self, Backend, Handles},
        connect, migrate,
        mysql::MySqlOptions,
        postgres::PostgresOptions,
    },
};
use jobs_tests::{Engine, PrivateServer};
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection, PgConnection};

use crate::place::{Kind, Place};

const PAGE: &str = include_str!("../../../docs/storages.md");
const OTHER_LANGUAGES: &str = include_str!("../../../docs/other-languages.md");

/// One case of each verb, at least.
macro_rules! run_cases {
    ($backend:expr; $($topic:ident { $($case:ident),* })*) => {
        $( $( conformance::run($backend, conformance::$topic::$case); )* )*
    };
}

fn run_verbs(backend: &impl Backend) {
    run_cases! { backend;
        enqueue { a_stored_job_reads_back_as_it_was_written, storing_a_job_again_changes_nothing }
        claim { a_job_is_claimed_once_by_many_claimers }
        finish { a_mixed_batch_is_answered_in_order, a_failure_is_kept_with_its_error }
        change { every_allowed_move_by_hand_works }
        promote { the_next_due_time_is_told }
        continuation { deletion_goes_down_the_whole_line }
        rescue { a_job_that_kills_its_servers_ends_in_failed }
        schedule { a_mixed_batch_of_writes_is_answered_in_order, of_many_writers_one_makes_the_job }
        expire { finished_jobs_expire_after_their_time }
        monitor { statistics_count_outcomes_by_hour_and_day, history_tells_the_whole_story, servers_are_listed_until_they_retire }
        signal { another_handle_wakes_too, revoked_claims_are_told }
    }
}

/// The SQL that stands on a page under a title.
fn sql(page: &'static str, title: &str) -> &'static str {
    let (_, section) = page.split_once(&format!("\n{title}\n")).unwrap_or_else(|| panic!("the page has no `{title}`"));
    let (_, block) = section.split_once("```sql\n").expect("a block");
    block.split("```").next().unwrap_or_default()
}

/// A server whose user may do everything, and whose places a program may only use.
struct Denied {
    server: PrivateServer,
    places: AtomicU32,
}

impl Denied {
    fn on(engine: Engine) -> Self {
        Self { server: block_on(PrivateServer::create(engine)), places: AtomicU32::new(0) }
    }

    fn url(&self) -> String {
        self.server.url.to_string()
    }

    /// The URL of someone else.
    fn url_of(&self, login: &str) -> String {
        let url = self.url();
        let (start, place) = url.rsplit_once('@').expect("a login");
        let (scheme, _) = start.split_once("://").expect("a URL");
        format!("{scheme}://{login}@{place}")
    }

    /// A number for a place.
    fn next(&self) -> u32 {
        self.places.fetch_add(1, Ordering::Relaxed)
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

mod postgres {
    use super::*;

    async fn execute(url: &str, statements: &str) -> sqlx::Result<()> {
        let mut connection = PgConnection::connect(url).await.expect("connected");
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut connection).await.map(drop)
    }

    async fn users(server: &Denied) {
        let make = ["program", "shop"].map(|user| format!("CREATE ROLE {user} LOGIN PASSWORD 'secret';")).join(" ");
        execute(&server.url(), &make).await.expect("made");
    }

    struct Program<'s>(&'s Denied);

    impl Backend for Program<'_> {
        async fn open(&self, clock: Clock) -> Handles {
            let schema = format!("place_{}", self.0.next());
            migrate(&format!("{}?schema={schema}", self.0.url())).await.expect("migrated");
            let grant = sql(PAGE, "### Rights in PostgreSQL").replace(" jobs ", &format!(" {schema} "));
            execute(&self.0.url(), &grant).await.expect("granted");
            let options = PostgresOptions::from_url(&self.0.url_of("program:secret")).expect("a URL").schema(schema);
            let options = options.max_connections(4).prepare_schema(false).clock(clock);
            let storage = options.clone().open().await.expect("opened");
            let other = options.open().await.expect("opened");
            Handles { storage, other, keep: Box::new(()) }
        }
    }

    #[tokio::test]
    async fn what_the_page_tells_to_set_can_be_set() {
        let place = Place::new(Kind::Postgres).await;
        migrate(&place.url).await.expect("migrated");
        place.execute(&sql(PAGE, "### In operation").replace(" jobs.", &format!(" {}", place.prefix))).await;
    }

    mod private_server {
        use super::*;

        #[test]
        fn a_program_needs_no_right_to_change_tables() {
            let server = Denied::on(Engine::Postgres);
            block_on(users(&server));
            run_verbs(&Program(&server));
        }

        #[test]
        fn a_right_that_is_missing_is_told() {
            let server = Denied::on(Engine::Postgres);
            block_on(async {
                users(&server).await;
                let program = server.url_of("program:secret");
                let error = connect(&program).await.expect_err("refused").to_string();
                assert!(error.contains("permission denied for database") && error.contains("CREATE SCHEMA"), "{error}");
                migrate(&server.url()).await.expect("migrated");
                let error = connect(&format!("{program}?prepare_schema=false")).await.expect_err("refused").to_string();
                assert!(
                    error.contains("permission denied for schema jobs") && error.contains("grant this one USAGE"),
                    "{error}"
                );
            });
        }

        /// Who only enqueues needs less.
        #[test]
        fn a_caller_of_the_function_needs_what_the_page_grants() {
            let server = Denied::on(Engine::Postgres);
            block_on(async {
                users(&server).await;
                migrate(&server.url()).await.expect("migrated");
                let shop = server.url_of("shop:secret");
                let call = "SELECT jobs.enqueue('a', 'b', '{}', id => 'ffffffff-0000-0000-0000-000000000000'),
                                   jobs.enqueue('a', 'b', '{}', run_at => now() + interval '1 day')";
                execute(&shop, call).await.expect_err("refused");
                execute(&server.url(), sql(OTHER_LANGUAGES, "### Rights")).await.expect("granted");
                execute(&shop, call).await.expect("stored");
                execute(&shop, call).await.expect("stored once");
                execute(&shop, "SELECT * FROM jobs.job").await.expect_err("refused");
            });
        }
    }
}

mod mysql {
    use super::*;

    async fn execute(url: &str, statements: &str) {
        let mut connection = MySqlConnection::connect(url).await.expect("connected");
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut connection).await.expect("executed");
    }

    struct Program<'s>(&'s Denied);

    impl Backend for Program<'_> {
        async fn open(&self, clock: Clock) -> Handles {
            let name = format!("jobs_test_{}", self.0.next());
            execute(&self.0.url(), &format!("CREATE DATABASE {name}")).await;
            let place = |url: &str| url.replace("/jobs_test", &format!("/{name}"));
            migrate(&place(&self.0.url())).await.expect("migrated");
            let grant = sql(PAGE, "### Rights in MySQL and MariaDB").replace(" shop.*", &format!(" {name}.*"));
            execute(&self.0.url(), &grant).await;
            let options = MySqlOptions::from_url(&place(&self.0.url_of("program"))).expect("a URL").max_connections(4);
            let options = options.prepare_schema(false).clock(clock);
            let storage = options.clone().open().await.expect("opened");
            let other = options.open().await.expect("opened");
            Handles { storage, other, keep: Box::new(()) }
        }
    }

    mod private_server {
        use super::*;

        #[test]
        fn a_program_needs_no_right_to_change_tables() {
            let server = Denied::on(Engine::MySql);
            block_on(execute(&server.url(), "CREATE USER program@'%'"));
            run_verbs(&Program(&server));
        }

        #[test]
        fn a_right_that_is_missing_is_told() {
            let server = Denied::on(Engine::MySql);
            block_on(async {
                let database = "CREATE USER program@'%'; GRANT SELECT ON jobs_test.* TO program@'%'";
                execute(&server.url(), database).await;
                let program = server.url_of("program");
                let error = connect(&program).await.expect_err("refused").to_string();
                assert!(error.contains("CREATE command denied to user 'program'"), "{error}");
                assert!(error.contains("grant this one SELECT, INSERT, UPDATE"), "{error}");
            });
        }
    }
}
