//! Generated code is clean under strict lints; `cargo clippy` checks this file.

#![deny(clippy::pedantic, clippy::nursery, clippy::allow_attributes, clippy::missing_docs_in_private_items)]
#![deny(missing_debug_implementations, missing_docs, unreachable_pub)]
#![expect(clippy::unused_async, clippy::needless_pass_by_value, reason = "the jobs do nothing")]

use jobs_runtime::prelude::*;

/// A service.
#[derive(Debug)]
pub struct Service {
    /// The most that it does.
    most: u8,
}

#[jobs]
impl Service {
    /// The most that any does.
    const MOST: u8 = 9;

    /// A method.
    ///
    /// # Errors
    ///
    /// None.
    #[job(queue = "mail", retry(delays = ["1s"]), aliases("earlier"), timeout = "1s")]
    #[recurring(cron = "0 9 * * *", args(number = 1, text = "text"))]
    #[recurring(cron = Cron::never(), id = "by hand", args(text = String::new(), number = Self::MOST))]
    pub async fn method(&self, number: u8, text: String) -> Result<u8, JobError> {
        drop(text);
        Ok(number.min(self.most))
    }

    /// A blocking method.
    #[job]
    #[must_use]
    pub fn blocking_method(&self, numbers: Vec<u8>) -> u8 {
        numbers.iter().sum::<u8>().min(self.most)
    }
}

/// A function.
#[job]
pub async fn function(cx: JobContext, service: Data<Service>, token: CancellationToken, number: u8) {
    let _ = (cx, service, token, number);
}

/// A function with many arguments.
#[job]
#[expect(clippy::too_many_arguments, reason = "to see what is said about the functions made of it")]
#[must_use]
pub fn many(a1: String, a2: String, a3: u8, a4: u8, a5: u8, a6: u8, a7: u8, a8: String) -> String {
    format!("{a1}{a2}{a3}{a4}{a5}{a6}{a7}{a8}")
}

/// A function without arguments.
#[recurring(cron = "*/5 * * * *", tz = "Asia/Shanghai", misfire = "strict", max_missed = 5, overlap = "skip")]
#[job]
pub async fn none() {}

/// A function that ignores its argument.
#[job]
async fn ignoring(_number: u8) {}

#[test]
fn jobs_are_made() {
    assert_eq!(Method::new(1, "two").text, "two");
    assert_eq!(BlockingMethod { numbers: vec![1, 2] }.numbers, [1, 2]);
    assert_eq!(Function::new(3).number, 3);
    assert_eq!(Many::new("1", "2", 3, 4, 5, 6, 7, "8").a8, "8");
    let None {} = None::new();
    assert_eq!(Ignoring::new(5).number, 5);
}
