//! The parameters: which are stored, which are injected, and what neither can be.

use proc_macro2::Ident;
use quote::ToTokens as _;
use syn::{Attribute, FnArg, Meta, Pat, PatType, PathArguments, Signature, Type, ext::IdentExt as _};

use super::{Surroundings, resolve_self};
use crate::{
    diagnostic::{Errors, Problem},
    model::{Argument, Injected, Parameter},
    names,
    types::{self, Unstorable},
};

/// The injected types of which a second says nothing new.
const SINGLE: [&str; 3] = ["JobContext", "CancellationToken", "JobTx"];

pub(crate) fn read(signature: &Signature, around: Option<&Surroundings<'_>>, errors: &Errors) -> Vec<Parameter> {
    let typed = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    let mut reader = Reader { errors, around, arguments: Vec::new(), single: Vec::new() };
    typed.map(|parameter| reader.parameter(parameter)).collect()
}

struct Reader<'a> {
    errors: &'a Errors,
    around: Option<&'a Surroundings<'a>>,
    /// The arguments so far.
    arguments: Vec<Ident>,
    /// The injected types of [`SINGLE`] so far.
    single: Vec<&'static str>,
}

impl Reader<'_> {
    fn parameter(&mut self, parameter: &PatType) -> Parameter {
        self.check_attributes(parameter);
        if is_injected(parameter) {
            self.injected(parameter)
        } else {
            self.argument(parameter).unwrap_or(Parameter::Broken)
        }
    }

    /// A `#[cfg]` would have to be on the call, the field and the constructor, which Rust doesn't allow everywhere.
    fn check_attributes(&self, parameter: &PatType) {
        for attribute in &parameter.attrs {
            let path = attribute.path();
            if path.is_ident("cfg") || path.is_ident("cfg_attr") {
                let what = format!("`#[{}]` on a job's parameter is not supported", types::text(path));
                let help = "write two functions, each with its own `#[cfg]`";
                self.errors.at(attribute, Problem::new(what).help(help));
            } else if path.is_ident("inject") && !matches!(attribute.meta, Meta::Path(_)) {
                self.errors.at(attribute, Problem::new("`#[inject]` has no options").help("write `#[inject]`"));
            }
        }
    }

    /// An injected parameter stays one when it has an error: callers don't pass it.
    fn injected(&mut self, parameter: &PatType) -> Parameter {
        if let Some(serde) = attribute(parameter, "serde") {
            let problem = Problem::new("`#[serde]` on an injected parameter has no effect");
            let help = "remove it; the server makes this parameter's value, and it is not stored";
            self.errors.at(serde, problem.help(help));
        }
        let ty = &*parameter.ty;
        if let Type::Reference(reference) = types::plain(ty) {
            let problem = Problem::new("an injected parameter is taken by value");
            self.errors.at(ty, problem.help(format!("write `{}`", types::text(&reference.elem))));
        } else if let Some(impl_trait) = Unstorable::find(ty).impl_trait {
            let problem = Problem::new("the type of an injected parameter must be named");
            self.errors.at(impl_trait, problem.help("write the type"));
        }
        let kind = types::last_segment(ty).and_then(|segment| SINGLE.into_iter().find(|kind| segment.ident == *kind));
        match kind {
            Some(kind) if self.single.contains(&kind) => {
                let problem = Problem::new(format!("a second `{kind}`"));
                self.errors.at(ty, problem.help("remove it; it would be the same as the first"));
            }
            kind => self.single.extend(kind),
        }
        let name = match &*parameter.pat {
            Pat::Ident(pattern) => Some(pattern.ident.clone()),
            _ => None,
        };
        Parameter::Injected(Injected { name, ty: resolve_self(ty, self.around) })
    }

    fn argument(&mut self, parameter: &PatType) -> Option<Parameter> {
        let name = self.name(&parameter.pat);
        let storable = self.check_type(&parameter.ty);
        let (name, true) = (name?, storable) else { return None };
        let attributes = |name: &'static str| {
            parameter.attrs.iter().filter(move |attribute| attribute.path().is_ident(name)).cloned().collect()
        };
        Some(Parameter::Argument(Argument {
            name,
            is_string: types::is_string(&parameter.ty),
            ty: resolve_self(&parameter.ty, self.around),
            docs: attributes("doc"),
            serde: attributes("serde"),
        }))
    }

    /// The name under which the argument is stored.
    fn name(&mut self, pattern: &Pat) -> Option<Ident> {
        let ident = match pattern {
            Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => &pattern.ident,
            Pat::Wild(_) => {
                let problem = Problem::new("an argument needs a name").help("write a name, such as `_user_id`");
                self.errors.at(pattern, problem.note("it is stored under this name, without the leading underscore"));
                return None;
            }
            _ => {
                let problem = Problem::new("an argument can't be a pattern");
                let problem = problem.help("write a name, and take the value apart in the function's body");
                self.errors.at(pattern, problem.note("the argument is stored under its name"));
                return None;
            }
        };
        let name = names::argument_name(ident);
        if self.arguments.iter().any(|earlier| earlier.unraw() == name.unraw()) {
            let problem = Problem::new(format!("two arguments are stored as `{}`", name.unraw()));
            let problem = problem.help("rename one of them");
            self.errors.at(ident, problem.note("a leading underscore is not part of an argument's name"));
            return None;
        }
        self.arguments.push(name.clone());
        Some(name)
    }

    /// Reports types that can't be stored whatever they implement.
    fn check_type(&self, ty: &Type) -> bool {
        let found = Unstorable::find(ty);
        let before_or_after = "the arguments are stored, and read back by another process or at another time";
        if let Some(borrowed) = found.borrowed {
            let problem = Problem::new(format!("a job can't borrow its argument `{}`", types::text(ty)));
            self.errors.at(borrowed, problem.help(owned_instead(ty)).note(before_or_after));
            return false;
        }
        if let Some(impl_trait) = found.impl_trait {
            let problem = Problem::new("a job's argument can't be `impl Trait`").help("write the type");
            self.errors.at(impl_trait, problem.note("one stored call can't tell for which type it was made"));
            return false;
        }
        if let Some(object) = found.trait_object {
            let problem = Problem::new("a job's argument can't be a trait object");
            let problem = problem.help("write the type, or an enum of the types that are possible");
            self.errors.at(object, problem.note("a trait object does not say of which type it is to be read back"));
            return false;
        }
        true
    }
}

fn owned_instead(ty: &Type) -> String {
    let owned = types::text(types::owned(ty.to_token_stream()));
    if owned == types::text(ty) { "write a type that owns its value".to_owned() } else { format!("write `{owned}`") }
}

/// Whether the server supplies the parameter.
fn is_injected(parameter: &PatType) -> bool {
    if attribute(parameter, "inject").is_some() {
        return true;
    }
    let ty = match types::plain(&parameter.ty) {
        Type::Reference(reference) => &reference.elem,
        ty => ty,
    };
    types::last_segment(ty).is_some_and(|segment| match &segment.arguments {
        PathArguments::None => SINGLE.iter().any(|kind| segment.ident == *kind),
        PathArguments::AngleBracketed(_) => segment.ident == "Data" || segment.ident == "JobTx",
        PathArguments::Parenthesized(_) => false,
    })
}

fn attribute<'a>(parameter: &'a PatType, name: &str) -> Option<&'a Attribute> {
    parameter.attrs.iter().find(|attribute| attribute.path().is_ident(name))
}
