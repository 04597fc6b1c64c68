//! Jobs that are methods.

use jobs_runtime::{job::{Job, JobName}, prelude::*};
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
pub struct EmailService {
    sender: String,
}

#[jobs]
#[allow(clippy::unused_async)]
impl EmailService {
    #![allow(dead_code)]

    const LIMIT: Limit = Limit { most: 3 };

    /// Sends the welcome mail.
    #[job(queue = "mail")]
    async fn send_welcome(&self, cx: JobContext, #[serde(default)] email: String) -> Result<String, anyhow::Error> {
        Ok(format!("{} {} {email}", self.sender, cx.attempt()))
    }

    #[job(as = Cleanup, aliases("clean"))]
    pub(crate) fn clean_up(&self, other: Data<EmailService>, days: u32) -> u32 {
        days + u32::try_from(other.sender.len()).unwrap_or(Self::LIMIT.most)
    }

    #[job(name = "mail.static")]
    async fn without_instance(template: Self, templates: Vec<Self>) -> Result<Self, std::convert::Infallible> {
        drop(templates);
        Ok(template)
    }

    #[job]
    fn blocking_without_instance(number: u8) -> u8 {
        number
    }

    #[job]
    async fn typed_receiver(&self) {}

    /// No job.
    fn other(&self) -> Option<&str> {
        Some(&self.sender)
    }
}

struct Limit {
    most: u32,
}

type Alias = inner::Generic<u8>;

mod inner {
    #[derive(Default)]
    pub struct Generic<T>(pub T);
}

#[jobs]
impl Alias {
    #[job]
    async fn by_alias(&self) -> u8 {
        self.0
    }
}

fn main() {
    assert_eq!(SendWelcome::NAME, JobName::new("ui_tests_tests::EmailService", "send_welcome"));
    assert_eq!(SendWelcome::SETTINGS.queue().as_str(), "mail");
    assert_eq!(SendWelcome::new("ada").email, "ada");
    assert_eq!(Cleanup::ALIASES, [JobName::new("ui_tests_tests::EmailService", "clean")]);
    assert_eq!(WithoutInstance::NAME, JobName::new("mail", "static"));
    assert_eq!(ByAlias::NAME, JobName::new("ui_tests_tests::Alias", "by_alias"));
    let service = EmailService { sender: "me".to_owned() };
    assert_eq!(service.other(), Some("me"));
    assert_eq!(service.clean_up(Data::new(service.clone()), 3), 5);
    let _ = WithoutInstance::enqueue(service.clone(), vec![service]);
}
