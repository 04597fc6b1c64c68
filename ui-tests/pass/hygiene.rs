//! Generated code means the standard library and `jobs_runtime`, whatever the names mean around it.

#![deny(warnings, missing_docs, unreachable_pub)]
#![forbid(unsafe_code)]
#![allow(dead_code, unused_macros, unused_imports)]

mod shadowed {
    use ::jobs_runtime::prelude::{Data, JobContext};

    pub(crate) struct Result;
    pub(crate) struct Option;
    pub(crate) struct Some;
    pub(crate) struct Ok;
    pub(crate) struct Err;
    pub(crate) struct Vec;
    pub(crate) struct Box;
    pub(crate) trait Into {}
    pub(crate) trait Sized {}
    pub(crate) trait Send {}
    pub(crate) trait Future {}
    pub(crate) trait Job {}
    pub(crate) trait FromContext {}
    pub(crate) trait Serialize {}
    pub(crate) trait Deserialize {}
    pub(crate) struct JobName;
    pub(crate) struct Enqueue;
    pub(crate) struct Invocation;
    pub(crate) struct Location;
    pub(crate) struct RecurringDescriptor;
    pub(crate) struct Misfire;
    pub(crate) struct Overlap;
    pub(crate) struct CronSchedule;
    pub(crate) mod std {}
    pub(crate) mod core {}
    pub(crate) mod serde {}
    pub(crate) mod inventory {}
    pub(crate) mod jobs_runtime {}

    macro_rules! file { () => { compile_error!("shadowed") } }
    macro_rules! line { () => { compile_error!("shadowed") } }
    macro_rules! assert { ($($tokens:tt)*) => { compile_error!("shadowed") } }
    pub(crate) use {assert, file, line};

    #[derive(::serde::Serialize, ::serde::Deserialize)]
    pub(crate) struct String(u8);

    impl ::core::convert::From<u8> for String {
        fn from(number: u8) -> Self {
            Self(number)
        }
    }

    #[::jobs_runtime::recurring(
        cron = ::jobs_runtime::schedule::Cron::never(),
        tz = "UTC",
        id = "shadowed",
        queue = "mail",
        misfire = "strict",
        max_missed = 1,
        overlap = "skip",
        args(text = 1, number = 2)
    )]
    #[::jobs_runtime::job(retry(delays = ["1s"]), aliases("earlier"), timeout = "1s")]
    pub(crate) async fn with_shadowed(service: Data<u8>, cx: JobContext, text: String, number: u8) -> u8 {
        drop((service, cx));
        text.0 + number
    }

    #[::jobs_runtime::job]
    #[::jobs_runtime::recurring(cron = "@daily", args(text = String(1)))]
    pub(crate) fn blocking(text: String) -> ::core::result::Result<u8, ::std::string::String> {
        ::core::result::Result::Ok(text.0)
    }
}

macro_rules! jobs {
    ($($(#[$attribute:meta])* $name:ident($argument:ident: $ty:ty) in $queue:literal every $delay:literal $priority:literal at $cron:literal with $value:expr;)*) => {$(
        $(#[$attribute])*
        #[jobs_runtime::recurring(cron = $cron, queue = $queue, args($argument = $value, other = stringify!($name)))]
        #[jobs_runtime::job(queue = $queue, retry(fixed = $delay), priority = $priority)]
        #[jobs_runtime::recurring(cron = $cron, id = $queue, args(other = "", $argument = { $value }))]
        #[jobs_runtime::recurring(cron = jobs_runtime::schedule::Cron::never(), id = $delay, args(other = "", $argument = $value))]
        pub(crate) async fn $name(cx: jobs_runtime::prelude::JobContext, $argument: $ty, other: String) -> Result<$ty, String> {
            drop((cx, other));
            Ok($argument)
        }
    )*};
}

jobs! {
    /// One.
    #[jobs_runtime::recurring(cron = "@hourly", id = "by the caller", args(text = "one", other = "two"))]
    one(text: String) in "a" every "1s" -1 at "@daily" with "one".to_owned();
    #[cfg_attr(all(), jobs_runtime::recurring(cron = "@hourly", id = "2", args(other = "", other_than_other = vec![])))]
    two(other_than_other: Vec<u8>) in "b" every "2s" 1 at "0 0 * * *" with vec![1, 2];
}

macro_rules! below {
    ($(#[$attribute:meta])* $name:ident) => {
        #[jobs_runtime::job]
        $(#[$attribute])*
        pub(crate) async fn $name(number: u8) -> u8 {
            number
        }
    };
}

below! {
    #[jobs_runtime::recurring(cron = "@daily", args(number = 1))]
    #[cfg_attr(all(), jobs_runtime::recurring(cron = "@daily", id = "conditional", args(number = 2)))]
    below
}

pub(crate) mod names {
    //! Arguments named like what is generated.
    #[jobs_runtime::job]
    #[jobs_runtime::recurring(
        cron = "@daily",
        args(new = 1, enqueue = 2, cx = 3, job = 4, result = 5, names = 6, fn = 7, r#async = 8)
    )]
    #[allow(clippy::too_many_arguments)]
    pub(crate) async fn names(new: u8, enqueue: u8, cx: u8, job: u8, result: u8, names: u8, r#fn: u8, r#async: u8) {
        let _ = (new, enqueue, cx, job, result, names, r#fn, r#async);
    }
}

fn main() {
    let job = One::new("text", "other");
    assert_eq!(job.text, "text");
    assert_eq!(Two::new(vec![1], "other").other_than_other, [1]);
    use jobs_runtime::job::Job as _;
    assert_eq!((One::SETTINGS.queue().as_str(), One::SETTINGS.priority), ("a", -1));

    const IN_A_FUNCTION: u8 = 3;

    #[jobs_runtime::job]
    #[jobs_runtime::recurring(cron = "@daily", args(number = IN_A_FUNCTION))]
    async fn in_a_function(number: u8) {
        let _ = number;
    }
    assert_eq!(InAFunction::new(3).number, 3);

    use jobs_runtime::{__private::inventory, schedule::RecurringDescriptor};
    assert_eq!(inventory::iter::<RecurringDescriptor>.into_iter().count(), 14);
}
