//! From the model to code. Nothing can fail here: what could was checked before.

mod arguments;
mod assertions;
mod filters;
mod job_impl;
mod recurring;
mod settings;
mod signature;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::{model::Model, options::name};

/// All that stands beside the function.
pub(crate) fn job(model: &Model) -> TokenStream {
    let (krate, cfgs, struct_name) = (&model.krate, &model.cfgs, &model.struct_name);
    let allow = allow_deprecated(model);
    let assertions = assertions::all(model);
    let arguments = arguments::items(model);
    let job_impl = job_impl::whole(model);
    let schedules = recurring::submissions(model);
    let filters = filters::submission(model);
    quote! {
        #(#cfgs)*
        #allow
        const _: () = {
            #assertions
            #job_impl
            #krate::inventory::submit! { #krate::HandlerDescriptor::of::<#struct_name>() }
            #filters
            #schedules
        };
        #arguments
    }
}

/// As much as makes the callers of an item with errors compile, so that only the errors are shown.
pub(crate) fn recovered(model: &Model) -> TokenStream {
    let cfgs = &model.cfgs;
    let allow = allow_deprecated(model);
    let arguments = arguments::items(model);
    let job_impl = job_impl::stub(model);
    quote! {
        #arguments
        #(#cfgs)*
        #allow
        const _: () = { #job_impl };
    }
}

/// The place in the source at which `span` begins.
fn location(model: &Model, span: Span) -> TokenStream {
    let krate = &model.krate;
    let package = name::package();
    quote_spanned!(span=> #krate::Location::new(::core::file!(), ::core::line!()).in_package(#package))
}

/// What is generated for a deprecated function uses it, and is deprecated itself.
fn allow_deprecated(model: &Model) -> Option<TokenStream> {
    model.deprecated.as_ref().map(|_| quote!(#[allow(deprecated, reason = "the job is what is deprecated")]))
}
