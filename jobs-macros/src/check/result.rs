//! The function's result.

use syn::{ReturnType, Type};

use super::{Surroundings, resolve_self};
use crate::{
    diagnostic::{Errors, Problem},
    model::Output,
    types::{self, Unstorable},
};

pub(crate) fn read(output: &ReturnType, around: Option<&Surroundings<'_>>, errors: &Errors) -> Output {
    let ReturnType::Type(_, ty) = output else { return Output::Unit };
    let result = types::last_segment(ty).filter(|segment| segment.ident.to_string().ends_with("Result"));
    let value = match result {
        Some(segment) => types::first_argument(segment),
        None => Some(&**ty),
    };
    if !is_named(ty, errors) || !value.is_none_or(|value| is_storable(value, errors)) {
        return Output::Unit;
    }
    let ty = resolve_self(ty, around);
    match &ty {
        _ if result.is_some() => Output::Result(ty),
        Type::Tuple(tuple) if tuple.elems.is_empty() => Output::Unit,
        _ => Output::Value(ty),
    }
}

/// Whether the whole type, value and error, can be written down elsewhere.
fn is_named(ty: &Type, errors: &Errors) -> bool {
    let Some(impl_trait) = Unstorable::find(ty).impl_trait else { return true };
    let problem = Problem::new("a job's result can't be `impl Trait`").help("write the type");
    errors.at(impl_trait, problem.note("the result is stored, and read back as this type"));
    false
}

/// Whether the value can be stored, whatever it implements.
fn is_storable(value: &Type, errors: &Errors) -> bool {
    if let Type::Never(never) = types::plain(value) {
        let problem = Problem::new("a job must come to an end")
            .help("return `()` when the job's `CancellationToken` is cancelled");
        errors.at(never, problem.note("a server that shuts down waits for its jobs"));
        return false;
    }
    let found = Unstorable::find(value);
    if found.borrowed.is_some() {
        let owned = types::text(types::owned(quote::ToTokens::to_token_stream(value)));
        let problem = Problem::new("a job can't return a borrowed value").help(format!("write `{owned}`"));
        errors.at(value, problem.note("the result is stored, and read back at another time"));
        return false;
    }
    if let Some(object) = found.trait_object {
        let problem = Problem::new("a job's result can't be a trait object").help("write the type");
        errors.at(object, problem.note("the result is stored, and read back as this type"));
        return false;
    }
    true
}
