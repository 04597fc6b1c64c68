//! The constants of a job: its names and settings.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{
    model::{Crate, Model},
    options::{
        name::Name,
        retention::Retention,
        retry::{Backoff, Retry},
    },
};

pub(super) fn name(krate: &Crate, name: &Name) -> TokenStream {
    let Name { type_name, method } = name;
    quote!(#krate::JobName::new(#type_name, #method))
}

/// `ALIASES` and `SETTINGS`, where they aren't the trait's own.
pub(super) fn constants(model: &Model) -> TokenStream {
    let Model { krate, options, .. } = model;
    let aliases = (!options.aliases.is_empty()).then(|| {
        let names = options.aliases.iter().map(|alias| name(krate, alias));
        quote!(const ALIASES: &'static [#krate::JobName] = &[#(#names),*];)
    });
    let settings = settings(model);
    let settings = (!settings.is_empty())
        .then(|| quote!(const SETTINGS: #krate::JobSettings = #krate::JobSettings::DEFAULT #settings;));
    quote!(#aliases #settings)
}

fn settings(model: &Model) -> TokenStream {
    let Model { krate, options, .. } = model;
    let queue = options.queue.iter().map(|queue| quote!(.with_queue(#queue)));
    let priority = options.priority.iter().map(|priority| quote!(.with_priority(#priority)));
    let retry = options.retry.iter().map(|retry| {
        let policy = policy(krate, retry);
        quote!(.with_retry(#policy))
    });
    let timeout = options.timeout.iter().map(|timeout| {
        let timeout = duration(*timeout);
        quote!(.with_timeout(#timeout))
    });
    let retention = retention(krate, &options.retention);
    quote!(#(#queue)* #(#priority)* #(#retry)* #(#timeout)* #retention)
}

fn retention(krate: &Crate, retention: &Retention) -> Option<TokenStream> {
    let time = |time: Option<Duration>| match time {
        Some(time) => {
            let time = duration(time);
            quote!(::core::option::Option::Some(#time))
        }
        None => quote!(::core::option::Option::None),
    };
    let (succeeded, failed, deleted) = (time(retention.succeeded), time(retention.failed), time(retention.deleted));
    let value = quote!(#krate::JobRetention { succeeded: #succeeded, failed: #failed, deleted: #deleted });
    (!retention.says_nothing()).then(|| quote!(.with_retention(#value)))
}

fn policy(krate: &Crate, retry: &Retry) -> TokenStream {
    let policy = quote!(#krate::RetryPolicy);
    let attempts = retry.attempts;
    let with_backoff = match &retry.backoff {
        Backoff::Hangfire if attempts == 0 => quote!(#policy::NONE),
        Backoff::Hangfire => quote!(#policy::HANGFIRE.with_attempts(#attempts)),
        Backoff::Fixed(delay) => {
            let delay = duration(*delay);
            quote!(#policy::fixed(#attempts, #delay))
        }
        Backoff::Linear(step) => {
            let step = duration(*step);
            quote!(#policy::linear(#attempts, #step))
        }
        Backoff::Exponential { base, factor, max } => {
            let (base, max) = (duration(*base), duration(*max));
            quote!(#policy::exponential(#attempts, #base, #factor, #max))
        }
        Backoff::By(delay) => quote!(#policy::by(#attempts, #delay)),
        Backoff::Delays(delays) => {
            let delays = delays.iter().map(|delay| duration(*delay));
            quote!(#policy::delays(&[#(#delays),*]).with_attempts(#attempts))
        }
    };
    let jitter = retry.jitter.map(|percent| quote!(.with_jitter_percent(#percent)));
    let on_exceeded = retry.on_exceeded.map(|variant| {
        let variant = format_ident!("{variant}");
        quote!(.with_on_exceeded(#krate::OnExceeded::#variant))
    });
    quote!(#with_backoff #jitter #on_exceeded)
}

fn duration(duration: Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote!(::core::time::Duration::new(#seconds, #nanos))
}
