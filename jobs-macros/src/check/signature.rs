//! What a function must not be, apart from its parameters and its result.

use quote::ToTokens as _;
use syn::{Receiver, ReceiverKind, Safety, Signature};

use crate::{
    diagnostic::{Errors, Problem},
    job_fn::JobFn,
    types::Unstorable,
};

pub(crate) fn check(function: &JobFn, is_method: bool, errors: &Errors) {
    let signature = &function.signature;
    if !function.has_body() {
        errors.at(signature, Problem::new("a job needs a body").help("write the body: `{ … }`"));
    }
    check_qualifiers(signature, errors);
    check_generics(signature, errors);
    if let Some(receiver) = signature.receiver() {
        check_receiver(receiver, is_method, errors);
    }
}

fn check_qualifiers(signature: &Signature, errors: &Errors) {
    if let Some(constness) = &signature.constness {
        errors.at(constness, Problem::new("a job can't be a `const fn`").help("remove `const`"));
    }
    if let Safety::Unsafe(unsafety) = &signature.safety {
        let problem =
            Problem::new("a job can't be an `unsafe fn`").help("remove `unsafe`, and use an `unsafe` block inside");
        errors
            .at(unsafety, problem.note("a worker calls it with stored arguments, and can't promise what it asks for"));
    }
    if let Some(abi) = &signature.abi {
        errors.at(
            abi,
            Problem::new("a job can't be an `extern` function").help("remove it; call this job's function from one"),
        );
    }
    if let Some(variadic) = &signature.variadic {
        errors.at(variadic, Problem::new("a job can't be variadic").help("take a `Vec<T>`"));
    }
}

fn check_generics(signature: &Signature, errors: &Errors) {
    let generics = &signature.generics;
    let only_lifetimes = generics.params.iter().all(|param| matches!(param, syn::GenericParam::Lifetime(_)));
    if generics.params.is_empty() || only_lifetimes && has_borrowed(signature) {
        return;
    }
    let problem = Problem::new("a job can't be generic").help("write the types out, one job for each");
    let note = "a stored call is read back by its name alone, which does not say for which types it was made";
    errors.at(&generics.params, problem.note(note));
}

/// Whether a parameter borrows, which is reported there and explains the lifetimes.
fn has_borrowed(signature: &Signature) -> bool {
    signature.inputs.iter().any(|input| match input {
        syn::FnArg::Typed(typed) => Unstorable::find(&typed.ty).borrowed.is_some(),
        syn::FnArg::Receiver(_) => false,
    })
}

fn check_receiver(receiver: &Receiver, is_method: bool, errors: &Errors) {
    if !is_method {
        let problem = Problem::new("`#[job]` on a method needs `#[jobs]` on its impl block");
        let help = "write `#[jobs]` above the `impl`, or take what the job needs as a parameter `Data<…>`";
        errors.at(receiver, problem.help(help));
        return;
    }
    let written = match &receiver.kind {
        ReceiverKind::Reference(_, _, None) => return,
        ReceiverKind::Reference(..) => "&mut self",
        ReceiverKind::Value => "self",
        _ => "self: …",
    };
    let problem = Problem::new(format!("a job's method can't take `{written}`")).help("write `&self`");
    let note = "the instance is the server's `Data<…>`, which all jobs that run at the same time share";
    errors.at(receiver.to_token_stream(), problem.note(note));
}
