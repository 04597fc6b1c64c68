//! What users write: `#[job]` functions and methods, and what becomes of their calls.

use std::{sync::Mutex, time::Duration};

use jobs_runtime::{prelude::*, state::StateName};
use jobs_tests::on_each_storage;
use serde::{Deserialize, Serialize};

const TEN_SECONDS: Duration = Duration::from_secs(10);

/// Adds up.
#[job]
async fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// What the mailer sent, and where.
#[derive(Default)]
struct Mailer(Mutex<Vec<(i64, String)>>);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Receipt {
    number: usize,
}

#[derive(Debug, thiserror::Error)]
#[error("no mail to {0}")]
struct MailError(String);

#[job(queue = "mail", retry(attempts = 0))]
async fn send_welcome(mailer: Data<Mailer>, user_id: i64, email: String) -> Result<Receipt, MailError> {
    if email.is_empty() {
        return Err(MailError(email));
    }
    let mut sent = mailer.0.lock().expect("a mailer");
    sent.push((user_id, email));
    Ok(Receipt { number: sent.len() })
}

/// Reads a file's length off the async threads.
#[job]
fn measure(cx: JobContext, text: String) -> anyhow::Result<usize> {
    anyhow::ensure!(std::thread::current().name() != Some("main"), "on the main thread");
    anyhow::ensure!(!cx.is_cancelled());
    Ok(text.len())
}

#[job]
async fn describe(cx: JobContext, token: CancellationToken) -> (String, String, u32, bool) {
    (cx.name().to_string(), cx.queue().to_string(), cx.attempt(), token.is_cancelled())
}

struct Tenant(String);

impl FromContext for Tenant {
    async fn from_context(cx: &JobContext) -> Result<Self, JobError> {
        match cx.queue().as_str() {
            "default" => Ok(Self("nobody".to_owned())),
            other => Err(JobError::permanent(format!("no tenant {other}"))),
        }
    }
}

#[job]
async fn bill(#[inject] tenant: Tenant, month: u32) -> String {
    format!("{} {month}", tenant.0)
}

#[job]
async fn fan_out(count: u32) -> Result<Vec<String>, EnqueueError> {
    let mut ids = Vec::new();
    for n in 0..count {
        ids.push(Add::enqueue(i64::from(n), 1).await?.id().to_string());
    }
    Ok(ids)
}

#[job(name = "reports.monthly", aliases("report", "old_reports.make"))]
async fn make_report(#[serde(default)] month: u32, #[serde(rename = "y")] year: i32) -> String {
    format!("{year}-{month}")
}

struct EmailService {
    sender: String,
}

#[jobs]
impl EmailService {
    /// Sends a reminder.
    #[job(queue = "mail", as = SendReminder)]
    async fn remind(&self, email: String) -> String {
        format!("{} reminds {email}", self.sender)
    }

    #[job]
    fn count_words(&self, text: String) -> usize {
        text.split_whitespace().count()
    }
}

/// What `#[job]` writes, by hand.
#[derive(Serialize, Deserialize)]
struct Subtract {
    a: i64,
    b: i64,
}

impl Job for Subtract {
    type Output = i64;
    const NAME: JobName = JobName::new("by_hand", "subtract");

    async fn perform(self, _cx: JobContext) -> Result<i64, JobError> {
        Ok(self.a - self.b)
    }
}

on_each_storage! {
    async fn a_typed_call_returns_its_typed_result(world: World) {
        let server = world.server().register::<Add>().start().await.expect("started");
        let sum = Add::enqueue(20, 22).await.expect("stored");
        assert_eq!(sum.wait(TEN_SECONDS).await.expect("done"), 42);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_job_gets_its_data_and_returns_its_receipt(world: World) {
        let mailer = Data::new(Mailer::default());
        let server = world.server().register::<SendWelcome>().shared_data(mailer.clone()).start().await.expect("started");
        let sent = SendWelcome::enqueue(42, "ada@example.org").await.expect("stored");
        assert_eq!(sent.wait(TEN_SECONDS).await.expect("done"), Receipt { number: 1 });
        assert_eq!(*mailer.0.lock().expect("a mailer"), [(42, "ada@example.org".to_owned())]);
        let refused = SendWelcome::enqueue(42, "").await.expect("stored");
        let error = refused.wait(TEN_SECONDS).await.expect_err("failed");
        assert!(matches!(&error, WaitError::Failed { failure, .. } if failure.error_type.ends_with("MailError")), "{error}");
        assert!(error.to_string().contains("no mail to"), "{error}");
        assert_eq!(world.details(&refused).await.job.queue.as_str(), "mail");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_plain_function_runs_off_the_async_threads(world: World) {
        let server = world.server().register::<Measure>().start().await.expect("started");
        assert_eq!(Measure::enqueue("four").await.expect("stored").wait(TEN_SECONDS).await.expect("done"), 4);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_handler_knows_its_run(world: World) {
        let server = world.server().register::<Describe>().queues(["default", "bulk"]).start().await.expect("started");
        let told = Describe::enqueue().queue("bulk").await.expect("stored").wait(TEN_SECONDS).await.expect("done");
        assert_eq!(told, ("jobs_tests.describe".to_owned(), "bulk".to_owned(), 1, false));
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn injected_parameters_are_made_from_the_context(world: World) {
        let server = world.server().register::<Bill>().queues(["default", "acme"]).start().await.expect("started");
        assert_eq!(Bill::enqueue(7).await.expect("stored").wait(TEN_SECONDS).await.expect("done"), "nobody 7");
        let refused = Bill::enqueue(7).queue("acme").await.expect("stored");
        let error = refused.wait(TEN_SECONDS).await.expect_err("failed");
        assert!(error.to_string().contains("no tenant acme"), "{error}");
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_handler_enqueues_with_its_servers_client(world: World) {
        let server = world.server().register::<FanOut>().register::<Add>().start().await.expect("started");
        let ids = FanOut::enqueue(3).await.expect("stored").wait(TEN_SECONDS).await.expect("done");
        for (n, id) in (0..).zip(ids) {
            let added = world.client.handle::<i64>(id.parse().expect("an id"));
            assert_eq!(added.wait(TEN_SECONDS).await.expect("done"), n + 1);
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn what_was_stored_under_an_earlier_name_still_runs(world: World) {
        use jobs_runtime::job::Invocation;
        assert_eq!(MakeReport::NAME, JobName::new("reports", "monthly"));
        let server = world.server().register::<MakeReport>().start().await.expect("started");
        for name in ["reports.monthly", "jobs_tests.report", "old_reports.make"] {
            let call = Invocation::new(name.parse().expect("a name"), &serde_json::json!({ "y": 2026 })).expect("JSON");
            let job = world.client.prepare(call).expect("prepared");
            let handle = world.client.enqueue_all([job]).await.expect("stored").remove(0);
            assert_eq!(handle.wait(TEN_SECONDS).await.expect("done"), "2026-0", "{name}");
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn methods_run_on_the_servers_instance(world: World) {
        let service = EmailService { sender: "Ada".to_owned() };
        let server = world.server().register::<SendReminder>().register::<CountWords>().data(service).start().await.expect("started");
        assert_eq!(SendReminder::NAME, JobName::new("jobs_tests::EmailService", "remind"));
        let reminded = SendReminder::enqueue("grace").await.expect("stored").wait(TEN_SECONDS).await.expect("done");
        assert_eq!(reminded, "Ada reminds grace");
        assert_eq!(CountWords::enqueue("a b c").await.expect("stored").wait(TEN_SECONDS).await.expect("done"), 3);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_job_without_macros_runs_too(world: World) {
        let server = world.server().register::<Subtract>().start().await.expect("started");
        let difference = world.client.enqueue(Subtract { a: 50, b: 8 }).await.expect("stored");
        assert_eq!(difference.wait(TEN_SECONDS).await.expect("done"), 42);
        let results = world.client.enqueue_all((0..10).map(|b| Subtract { a: 10, b })).await.expect("stored");
        for (b, handle) in (0..).zip(results) {
            assert_eq!(handle.wait(TEN_SECONDS).await.expect("done"), 10 - b);
        }
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_continuation_runs_after_its_parent(world: World) {
        let server = world.server().register::<Add>().start().await.expect("started");
        let first = Add::enqueue(1, 1).delay(Duration::from_secs(60)).await.expect("stored");
        let second = Add::enqueue(2, 2).after(&first).await.expect("stored");
        assert_eq!(world.details(&second).await.job.state, StateName::Awaiting);
        world.clock.advance(Duration::from_secs(60));
        assert_eq!(second.wait(TEN_SECONDS).await.expect("done"), 4);
        let (first, second) = (world.details(&first).await, world.details(&second).await);
        assert_eq!(first.job.state, StateName::Succeeded);
        assert!(first.job.state_at <= second.job.state_at);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_delayed_job_waits_for_its_time(world: World) {
        let server = world.server().register::<Add>().start().await.expect("started");
        let later = Add::enqueue(1, 1).delay(chrono::TimeDelta::minutes(5)).await.expect("stored");
        let at = Add::enqueue(2, 2).at(world.clock.now() + Duration::from_secs(600)).await.expect("stored");
        world.clock.advance(Duration::from_secs(299));
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(world.details(&later).await.job.state, StateName::Scheduled);
        world.clock.advance(Duration::from_secs(1));
        assert_eq!(later.wait(TEN_SECONDS).await.expect("done"), 2);
        assert_eq!(world.details(&at).await.job.state, StateName::Scheduled);
        world.clock.advance(Duration::from_secs(300));
        assert_eq!(at.wait(TEN_SECONDS).await.expect("done"), 4);
        server.shutdown(TEN_SECONDS).await.expect("shut down");
    }

    async fn a_past_time_is_now(world: World) {
        let past = Add::enqueue(1, 1).at(world.clock.now() - Duration::from_secs(600)).await.expect("stored");
        assert_eq!(world.details(&past).await.job.state, StateName::Enqueued);
    }
}

/// The function is still one.
#[tokio::test]
async fn a_job_is_still_a_function() {
    assert_eq!(add(1, 2).await, 3);
    assert_eq!(EmailService { sender: String::new() }.count_words("a b".to_owned()), 2);
}

/// What is stored is what other programs and later versions read.
#[test]
fn arguments_are_stored_as_an_object_of_their_names() {
    let stored = |job: &dyn erased::Stored| job.json();
    assert_eq!(stored(&SendWelcome::new(42, "ada")), r#"{"user_id":42,"email":"ada"}"#);
    assert_eq!(stored(&Describe::new()), "{}");
    assert_eq!(stored(&MakeReport::new(1, 2026)), r#"{"month":1,"y":2026}"#);
}

mod erased {
    pub(super) trait Stored {
        fn json(&self) -> String;
    }

    impl<J: jobs_runtime::job::Job> Stored for J {
        fn json(&self) -> String {
            serde_json::to_string(self).expect("JSON")
        }
    }
}
