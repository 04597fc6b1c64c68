//! The crate under another path.

mod facade {
    pub mod jobs {
        pub use jobs_runtime as renamed;
    }
}

use facade::jobs::renamed::{job, jobs, prelude::Data, recurring, schedule};

#[allow(dead_code)]
mod jobs_runtime {}

#[recurring(cron = schedule::Cron::never(), misfire = "ignorable", overlap = "allow", args(number = 1))]
#[job(crate = "crate::facade::jobs::renamed")]
async fn ping(number: u8) -> u8 {
    number
}

struct Service;

#[jobs(crate = "crate::facade::jobs::renamed")]
impl Service {
    #[job]
    #[recurring(cron = "@daily", args(number = 1))]
    fn blocking(&self, _other: Data<u8>, number: u8) -> Result<u8, String> {
        Ok(number)
    }
}

fn main() {
    assert_eq!(serde_json::to_string(&Ping::new(3)).unwrap(), r#"{"number":3}"#);
    let _ = Blocking::enqueue(4);
}
