//! Every option at once, and what comes of it.

use std::time::Duration;

use jobs_runtime::{job::{Backoff, Job, JobName}, prelude::*};

/// Sends mail.
#[job(
    queue = "mail",
    priority = -5,
    retry(attempts = 7, exponential = "1s 500ms", factor = 3, max = "1h 30m", jitter = 20),
    timeout = "30s",
    name = "mail.send",
    aliases("send_mail", "old.send_mail"),
    as = Mail,
    crate = "::jobs_runtime",
)]
async fn send(to: String) {
    drop(to);
}

#[job(retry(attempts = 0))]
async fn never_again() {}

#[job(retry(attempts = 2, jitter = 5))]
async fn as_hangfire() {}

#[job(retry(fixed = "10s"))]
async fn fixed() {}

#[job(retry(linear = "5s", attempts = 1_000))]
async fn linear() {}

#[job(retry(delays = ["1s", "5s", "1d"], attempts = 9))]
async fn delays() {}

#[job(name = "renamed")]
async fn renamed_method() {}

#[job]
async fn plain() {}

fn main() {
    assert_eq!(Mail::NAME, JobName::new("mail", "send"));
    assert_eq!(Mail::ALIASES, [JobName::new("ui_tests_tests", "send_mail"), JobName::new("old", "send_mail")]);
    let settings = Mail::SETTINGS;
    assert_eq!(settings.queue().as_str(), "mail");
    assert_eq!((settings.priority, settings.timeout), (-5, Some(Duration::from_secs(30))));
    let retry = settings.retry;
    assert_eq!((retry.attempts, retry.jitter_percent), (7, 20));
    let (base, max) = (Duration::from_millis(1_500), Duration::from_secs(5_400));
    assert!(matches!(retry.backoff, Backoff::Exponential { base: b, factor: 3, max: m, .. } if b == base && m == max));

    assert_eq!(NeverAgain::SETTINGS.retry, RetryPolicy::NONE);
    assert_eq!(AsHangfire::SETTINGS.retry, RetryPolicy::HANGFIRE.with_attempts(2).with_jitter_percent(5));
    assert_eq!(Fixed::SETTINGS.retry, RetryPolicy::fixed(10, Duration::from_secs(10)));
    assert_eq!(Linear::SETTINGS.retry, RetryPolicy::linear(1_000, Duration::from_secs(5)));
    const DELAYS: &[Duration] = &[Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(86_400)];
    assert_eq!(Delays::SETTINGS.retry, RetryPolicy::delays(DELAYS).with_attempts(9));

    assert_eq!(RenamedMethod::NAME, JobName::new("ui_tests_tests", "renamed"));
    assert_eq!(Plain::NAME, JobName::new("ui_tests_tests", "plain"));
    assert_eq!(Plain::ALIASES, []);
    assert_eq!(Plain::SETTINGS, jobs_runtime::job::JobSettings::DEFAULT);
    let location = Plain::LOCATION.expect("known").to_string();
    assert!(location.ends_with("every_option.rs:41"), "{location}");
}
