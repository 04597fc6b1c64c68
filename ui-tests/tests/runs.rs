//! What the macros generate does what it should: a server runs each kind of function.

use std::time::Duration;

use jobs_runtime::{client::WaitError, prelude::*};

struct Greeting(String);

struct Attempt(u32);

impl FromContext for Attempt {
    async fn from_context(cx: &JobContext) -> Result<Self, JobError> {
        Ok(Self(cx.attempt()))
    }
}

#[job]
async fn asynchronous(greeting: Data<Greeting>, #[inject] Attempt(attempt): Attempt, name: String) -> String {
    format!("{} {name}, attempt {attempt}", greeting.0)
}

#[job]
fn blocking(cx: JobContext, greeting: Data<Greeting>, _number: u8) -> Result<String, JobError> {
    let thread = std::thread::current();
    Ok(format!("{} on {}, canceled: {}", greeting.0, thread.name().unwrap_or("no name"), cx.is_cancelled()))
}

#[job(retry(attempts = 0))]
async fn failing(code: u8) -> Result<(), std::num::ParseIntError> {
    format!("{code}x").parse::<u8>().map(drop)
}

#[job(retry(attempts = 0))]
fn panicking() {
    panic!("for a test");
}

#[jobs]
impl Greeting {
    #[job]
    async fn of_instance(&self, cx: JobContext, name: String) -> Result<(String, u32), JobError> {
        Ok((format!("{} {name}", self.0), cx.attempt()))
    }

    #[job]
    fn blocking_of_instance(&self, name: String) -> String {
        format!("{} {name}", self.0)
    }

    #[job]
    async fn of_type(numbers: Vec<u8>) -> u8 {
        numbers.into_iter().sum()
    }
}

const LONG: Duration = Duration::from_secs(20);

async fn with_server<T>(test: impl AsyncFnOnce() -> T) -> T {
    let storage = jobs_runtime::storage::connect("memory:").await.expect("a storage");
    let builder = JobServer::builder(storage.clone()).data(Greeting("hello".to_owned())).workers(2);
    let server = builder.start().await.expect("a server");
    let result = Client::new(storage).scope(test()).await;
    server.shutdown(LONG).await.expect("shut down");
    result
}

async fn run<J: Job>(job: Enqueue<J>) -> Result<J::Output, WaitError> {
    job.await.expect("stored").wait(LONG).await
}

#[tokio::test]
async fn functions_run_with_what_is_injected() {
    with_server(async || {
        assert_eq!(run(Asynchronous::enqueue("Ada")).await.expect("done"), "hello Ada, attempt 1");
        let result = run(Blocking::enqueue(3)).await.expect("done");
        assert!(result.starts_with("hello on ") && result.ends_with("canceled: false"), "{result}");
    })
    .await;
}

#[tokio::test]
async fn methods_run_on_the_servers_instance() {
    with_server(async || {
        assert_eq!(run(OfInstance::enqueue("Ada")).await.expect("done"), ("hello Ada".to_owned(), 1));
        assert_eq!(run(BlockingOfInstance::enqueue("Ada")).await.expect("done"), "hello Ada");
        assert_eq!(run(OfType::enqueue(vec![1, 2, 3])).await.expect("done"), 6);
    })
    .await;
}

#[tokio::test]
async fn errors_and_panics_fail_the_job() {
    with_server(async || {
        let error = run(Failing::enqueue(1)).await.expect_err("fails");
        assert!(error.to_string().contains("invalid digit"), "{error}");
        let error = run(Panicking::enqueue()).await.expect_err("fails");
        assert!(error.to_string().contains("for a test"), "{error}");
    })
    .await;
}

#[test]
fn a_job_is_found_at_its_function() {
    let location = Asynchronous::LOCATION.expect("known").to_string();
    assert!(location.ends_with("runs.rs:18"), "{location}");
    let location = OfInstance::LOCATION.expect("known").to_string();
    assert!(location.ends_with("runs.rs:41"), "{location}");
    assert_eq!(OfInstance::LOCATION.expect("known").package(), Some("ui_tests"));
}

#[test]
fn functions_are_still_functions() {
    assert_eq!(Greeting("hi".to_owned()).blocking_of_instance("Ada".to_owned()), "hi Ada");
}
