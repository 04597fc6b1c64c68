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

    #[::jobs_runtime::job(retry(delays = ["1s"]), aliases("earlier"), timeout = "1s")]
    pub(crate) async fn with_shadowed(service: Data<u8>, cx: JobContext, text: String, number: u8) -> u8 {
        drop((service, cx));
        text.0 + number
    }

    #[::jobs_runtime::job]
    pub(crate) fn blocking(text: String) -> ::core::result::Result<u8, ::std::string::String> {
        ::core::result::Result::Ok(text.0)
    }
}

macro_rules! jobs {
    ($($(#[$attribute:meta])* $name:ident($argument:ident: $ty:ty) in $queue:literal every $delay:literal $priority:literal;)*) => {$(
        $(#[$attribute])*
        #[jobs_runtime::job(queue = $queue, retry(fixed = $delay), priority = $priority)]
        pub(crate) async fn $name(cx: jobs_runtime::prelude::JobContext, $argument: $ty, other: String) -> Result<$ty, String> {
            drop((cx, other));
            Ok($argument)
        }
    )*};
}

jobs! {
    /// One.
    one(text: String) in "a" every "1s" -1;
    two(other_than_other: Vec<u8>) in "b" every "2s" 1;
}

pub(crate) mod names {
    //! Arguments named like what is generated.
    #[jobs_runtime::job]
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

    #[jobs_runtime::job]
    async fn in_a_function(number: u8) {
        let _ = number;
    }
    assert_eq!(InAFunction::new(3).number, 3);
}
