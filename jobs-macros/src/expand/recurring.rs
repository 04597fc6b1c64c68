//! The schedules.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use crate::{
    model::{ArgumentValue, Model, Recurring},
    options::name,
};

/// What submits each schedule of the job.
pub(super) fn submissions(model: &Model) -> TokenStream {
    model.recurring.iter().map(|recurring| submission(model, recurring)).collect()
}

fn submission(model: &Model, recurring: &Recurring) -> TokenStream {
    let Model { krate, struct_name, .. } = model;
    let package = name::package();
    let cron = &recurring.cron.text;
    let values = recurring.values.iter().map(value);
    let location = super::location(model, recurring.span);
    let options = options(model, recurring);
    let submission = quote! {
        #krate::inventory::submit! {
            #krate::RecurringDescriptor::new(
                || <#struct_name as #krate::Job>::NAME,
                || #krate::Invocation::of(&#struct_name { #(#values),* }),
                #cron,
                #package,
                #location,
            )
            #options
        }
    };
    // Nothing but the compiler can tell whether what is written as `Cron::never` is it.
    let never = recurring.cron.never.as_ref();
    let never = never.map(|never| quote_spanned!(never.span()=> const _: fn() -> #krate::CronSchedule = #never;));
    let condition = recurring.condition.as_ref().map(|condition| quote!(#[cfg(#condition)]));
    let items = [recurring.mention.clone(), never, Some(submission)].into_iter().flatten();
    quote!(#(#condition #items)*)
}

/// A field of the struct, whose type the compiler compares with the value's.
fn value(argument: &ArgumentValue) -> TokenStream {
    let ArgumentValue { name, value, is_string } = argument;
    if *is_string {
        let into = quote_spanned!(value.span()=> ::core::convert::Into::into(#value));
        quote!(#name: #into)
    } else {
        quote!(#name: #value)
    }
}

/// What isn't as it is by default.
fn options(model: &Model, recurring: &Recurring) -> TokenStream {
    let krate = &model.krate;
    let Recurring { tz, id, queue, max_missed, .. } = recurring;
    let id = id.iter().map(|id| quote!(.id(#id)));
    let tz = tz.iter().map(|tz| quote!(.tz(#tz)));
    let queue = queue.iter().map(|queue| quote!(.queue(#queue)));
    let max_missed = max_missed.iter().map(|slots| quote!(.max_missed(#slots)));
    let misfire = recurring.misfire.map(|variant| {
        let variant = format_ident!("{variant}");
        quote!(.misfire(#krate::Misfire::#variant))
    });
    let overlap = recurring.overlap.map(|variant| {
        let variant = format_ident!("{variant}");
        quote!(.overlap(#krate::Overlap::#variant))
    });
    quote!(#(#id)* #(#tz)* #(#queue)* #misfire #(#max_missed)* #overlap)
}
