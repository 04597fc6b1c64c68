//! From the function as written to the model: everything that can be wrong is found here.

mod arguments;
mod parameters;
mod recurring;
mod result;
mod signature;

use proc_macro2::{Ident, TokenStream};
use quote::format_ident;
use syn::{Type, ext::IdentExt as _};

use crate::{
    diagnostic::{Errors, Problem},
    job_fn::JobFn,
    model::{Crate, Model, Output, Service},
    names,
    options::{JobOptions, JobsOptions, default_crate, name},
    types,
};

/// The impl block around a method.
pub(crate) struct Surroundings<'a> {
    pub(crate) self_ty: &'a Type,
    pub(crate) self_name: &'a Ident,
    pub(crate) options: &'a JobsOptions,
}

/// Makes the model of `function`. Where something is wrong, the error is reported and the model has a gap.
pub(crate) fn model(
    options: TokenStream,
    function: &JobFn,
    around: Option<&Surroundings<'_>>,
    errors: &Errors,
) -> Model {
    let ident = &function.signature.ident;
    let package = name::package();
    let type_name = match around {
        Some(around) => format!("{package}::{}", around.self_name.unraw()),
        None => package,
    };
    let options = JobOptions::parse(options, &type_name, ident, errors);
    signature::check(function, around.is_some(), errors);
    let crate_path = options.crate_path.as_ref().or(around.and_then(|around| around.options.crate_path.as_ref()));
    let attributes = |name: &'static str| {
        function.attributes.iter().filter(move |attribute| attribute.path().is_ident(name)).cloned()
    };
    let mut model = Model {
        krate: Crate(crate_path.cloned().unwrap_or_else(default_crate)),
        visibility: function.visibility.clone(),
        docs: attributes("doc").collect(),
        cfgs: attributes("cfg").collect(),
        deprecated: attributes("deprecated").next(),
        function: ident.clone(),
        struct_name: struct_name(ident, &options, errors),
        service: around
            .map(|around| Service { ty: around.self_ty.clone(), is_instance: function.signature.receiver().is_some() }),
        is_async: function.signature.asyncness.is_some(),
        parameters: parameters::read(&function.signature, around, errors),
        output: result::read(&function.signature.output, around, errors),
        name: options.name.clone().unwrap_or_else(|| name::Name { type_name, method: ident.unraw().to_string() }),
        filters: around.map_or_else(Vec::new, |around| around.options.filters.clone()),
        options,
        recurring: Vec::new(),
    };
    if !function.signature.generics.params.is_empty() {
        model.forget_types();
    }
    check_when(&model, errors);
    model.recurring = recurring::read(&function.recurring, &model, errors);
    model
}

/// What returns no `Result` has no error to be judged.
fn check_when(model: &Model, errors: &Errors) {
    let when = model.options.retry.as_ref().and_then(|retry| retry.when.as_ref());
    if let Some(when) = when.filter(|_| errors.is_empty() && !matches!(model.output, Output::Result(_))) {
        let problem =
            Problem::new(format!("`when` judges the errors of `{}`, which returns no `Result`", model.function));
        errors.at(when, problem.help("remove `when`, or return a `Result`"));
    }
}

fn struct_name(function: &Ident, options: &JobOptions, errors: &Errors) -> Ident {
    if let Some(name) = &options.struct_name {
        return name.clone();
    }
    names::struct_name(function).unwrap_or_else(|| {
        let problem = Problem::new(format!("no name for a struct can be made of `{function}`"));
        errors.at(function, problem.help("name the struct yourself with `#[job(as = …)]`"));
        format_ident!("_Job", span = function.span())
    })
}

/// The type as it is written outside of the impl block.
fn resolve_self(ty: &Type, around: Option<&Surroundings<'_>>) -> Type {
    let Some(around) = around else { return ty.clone() };
    let tokens = types::replace_self(quote::ToTokens::to_token_stream(ty), around.self_ty);
    syn::parse2(tokens).unwrap_or_else(|_| ty.clone())
}
