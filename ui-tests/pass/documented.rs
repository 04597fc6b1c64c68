//! Public jobs in a crate with strict lints: all that is generated is documented, and lints are quiet about it.

#![deny(warnings, missing_docs, unreachable_pub, missing_debug_implementations, unused_qualifications)]
#![deny(nonstandard_style, rust_2018_idioms, unused, let_underscore_drop)]

use jobs_runtime::prelude::*;

/// A service.
#[derive(Debug)]
pub struct Service;

#[jobs]
impl Service {
    /// A method.
    #[job]
    #[recurring(cron = "@daily", args(number = 1))]
    pub async fn method(&self, number: u8) -> Result<u8, JobError> {
        Ok(number)
    }
}

/// A function.
#[recurring(cron = "@daily", tz = "Europe/Berlin", misfire = "strict", args(number = 1, text = "text".to_owned()))]
#[job]
#[recurring(cron = Cron::never(), id = "by hand", overlap = "skip", args(number = 1, text = "text"))]
pub async fn function(service: Data<Service>, number: u8, text: String) -> Result<(), JobError> {
    drop((service, number, text));
    Ok(())
}

/// An old function.
#[job]
#[recurring(cron = "@daily", args(number = 1))]
#[deprecated = "use `function`"]
pub async fn old(number: u8) -> u8 {
    number
}

/// A function whose name is not in snake case.
#[job]
#[allow(non_snake_case)]
pub fn _2Fa() {}

// Private, and never enqueued here.
#[job]
async fn private(_cx: JobContext, _number: u8) {}

#[allow(unused)]
fn main() {
    let _job = Function::new(1, "two");
}
