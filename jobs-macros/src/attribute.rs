//! The macros from end to end: the item again, with what is generated, or with all errors and what can
//! still be generated.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{
    annotated::{self, Annotated},
    check::{self, Surroundings},
    diagnostic::Errors,
    expand,
    job_fn::{self, JobFn},
    jobs_impl::{Item, JobsImpl},
    options::JobsOptions,
    recurring_attribute,
};

/// `#[job]`
pub(crate) fn job(options: TokenStream, item: TokenStream) -> TokenStream {
    let errors = Errors::new();
    let mut function = match syn::parse2::<JobFn>(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            job_fn::report_other_item("#[job]", &item, &error, &errors);
            let item = annotated::without_recurring(item);
            let errors = errors.finish();
            return quote!(#item #errors);
        }
    };
    function.take_second_job_attribute(&errors);
    let model = check::model(options, &function, None, &errors);
    let is_item = function.signature.receiver().is_none() && function.has_body();
    let beside = match (errors.is_empty(), is_item) {
        (true, _) => expand::job(&model),
        (false, true) => expand::recovered(&model),
        // In an impl block or a trait a struct would be one more error.
        (false, false) => TokenStream::new(),
    };
    let errors = errors.finish();
    quote!(#function #errors #beside)
}

/// `#[jobs]`
pub(crate) fn jobs(options: TokenStream, item: TokenStream) -> TokenStream {
    let errors = Errors::new();
    let options = JobsOptions::parse(options, &errors);
    let mut block = match syn::parse2::<JobsImpl>(item.clone()) {
        Ok(block) => block,
        Err(error) => {
            job_fn::report_other_item("#[jobs]", &item, &error, &errors);
            let errors = errors.finish();
            return quote!(#item #errors);
        }
    };
    let block_is_sound = block.check(&errors);
    let (self_ty, self_name) = (block.self_ty.clone(), block.self_name());
    let around = Surroundings { self_ty: &self_ty, self_name: &self_name, options: &options };
    let mut beside = TokenStream::new();
    for item in &mut block.items {
        let Item::Job(method) = item else { continue };
        let (method_errors, of_method) = method_job(method, &around, block_is_sound);
        beside.extend(method_errors);
        // A trait's method is often named like the trait, and a struct would collide with it.
        beside.extend(block.trait_.is_none().then_some(of_method));
    }
    let errors = errors.finish();
    quote!(#block #errors #beside)
}

/// `#[recurring]`, when it stands above `#[job]`: moves behind it, and leaves the rest to it.
pub(crate) fn recurring(options: TokenStream, item: TokenStream) -> TokenStream {
    if recurring_attribute::is_mention(&options) {
        return TokenStream::new();
    }
    let errors = Errors::new();
    let item = match syn::parse2::<Annotated>(item.clone()) {
        Ok(annotated) => annotated.with_recurring(&options, &errors),
        Err(error) => {
            job_fn::report_other_item("#[recurring]", &item, &error, &errors);
            item
        }
    };
    let errors = errors.finish();
    quote!(#item #errors)
}

/// The errors of one method, and what stands beside the impl block for it; takes the method's `#[job]` away.
fn method_job(method: &mut JobFn, around: &Surroundings<'_>, block_is_sound: bool) -> (TokenStream, TokenStream) {
    let errors = Errors::new();
    let options = method.take_job_attribute(&errors).unwrap_or_default();
    method.take_second_job_attribute(&errors);
    let mut model = check::model(options, method, Some(around), &errors);
    if !block_is_sound {
        // The types may name what only the block knows.
        model.forget_types();
    }
    let beside = if block_is_sound && errors.is_empty() { expand::job(&model) } else { expand::recovered(&model) };
    (errors.finish(), beside)
}
