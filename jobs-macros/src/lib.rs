//! x

mod attribute;
mod check;
mod diagnostic;
mod expand;
mod job_fn;
mod jobs_impl;
mod model;
mod names;
mod options;
mod types;

use proc_macro::TokenStream;

/// x
#[proc_macro_attribute]
pub fn job(options: TokenStream, item: TokenStream) -> TokenStream {
    attribute::job(options.into(), item.into()).into()
}

/// x
#[proc_macro_attribute]
pub fn jobs(options: TokenStream, item: TokenStream) -> TokenStream {
    attribute::jobs(options.into(), item.into()).into()
}
