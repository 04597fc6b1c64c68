//! A job as the generated code needs it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Expr, Path, Type, Visibility};

use crate::options::{JobOptions, cron::Cron, name::Name};

/// Everything about one job that is generated from.
pub(crate) struct Model {
    pub(crate) krate: Crate,
    pub(crate) visibility: Visibility,
    /// The function's documentation.
    pub(crate) docs: Vec<Attribute>,
    /// The function's `#[cfg]`s: what is generated exists exactly when the function does.
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) deprecated: Option<Attribute>,
    pub(crate) function: Ident,
    pub(crate) struct_name: Ident,
    pub(crate) service: Option<Service>,
    pub(crate) is_async: bool,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) output: Output,
    pub(crate) name: Name,
    pub(crate) options: JobOptions,
    /// Those of its impl block.
    pub(crate) filters: Vec<Expr>,
    /// Its schedules.
    pub(crate) recurring: Vec<Recurring>,
}

/// The type whose method the job is.
pub(crate) struct Service {
    pub(crate) ty: Type,
    /// Whether the method takes `&self`.
    pub(crate) is_instance: bool,
}

/// A parameter of the function, without `self`.
pub(crate) enum Parameter {
    Argument(Argument),
    Injected(Injected),
    /// It has an error, which was reported; callers may pass anything.
    Broken,
}

/// A parameter that is stored.
pub(crate) struct Argument {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) serde: Vec<Attribute>,
    /// Whether callers may pass anything that becomes a `String`.
    pub(crate) is_string: bool,
}

/// A parameter whose value the server supplies.
pub(crate) struct Injected {
    /// None if it is a pattern.
    pub(crate) name: Option<Ident>,
    pub(crate) ty: Type,
}

/// One `#[recurring]`.
pub(crate) struct Recurring {
    pub(crate) cron: Cron,
    pub(crate) tz: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) queue: Option<String>,
    /// The variant of `Misfire`.
    pub(crate) misfire: Option<&'static str>,
    pub(crate) max_missed: Option<u32>,
    /// The variant of `Overlap`.
    pub(crate) overlap: Option<&'static str>,
    /// A value for each argument, in the order in which they are written.
    pub(crate) values: Vec<ArgumentValue>,
    /// Where the attribute stands.
    pub(crate) span: Span,
    /// Names the attribute as it is written.
    pub(crate) mention: Option<TokenStream>,
    /// The condition of the `#[cfg_attr]` around it.
    pub(crate) condition: Option<TokenStream>,
}

/// An argument of a schedule's jobs.
pub(crate) struct ArgumentValue {
    /// The field of the struct.
    pub(crate) name: Ident,
    pub(crate) value: TokenStream,
    /// Whether the value may be anything that becomes a `String`.
    pub(crate) is_string: bool,
}

/// What the function returns.
pub(crate) enum Output {
    /// Nothing, or something that has an error.
    Unit,
    /// A value that can't fail.
    Value(Type),
    /// Something that is named like a `Result`.
    Result(Type),
}

impl Model {
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &Argument> {
        self.parameters.iter().filter_map(|parameter| match parameter {
            Parameter::Argument(argument) => Some(argument),
            Parameter::Injected(_) | Parameter::Broken => None,
        })
    }

    /// Leaves out all types of the function, when they may name something that is unknown beside it.
    pub(crate) fn forget_types(&mut self) {
        self.parameters.iter_mut().for_each(|parameter| *parameter = Parameter::Broken);
        self.output = Output::Unit;
    }

    /// The place of the function's name, where messages about generated code belong that is about no parameter.
    pub(crate) fn span(&self) -> Span {
        self.function.span().resolved_at(Span::call_site())
    }

    /// The types that the server must supply, the method's own instance first.
    pub(crate) fn injected(&self) -> impl Iterator<Item = TokenStream> {
        let instance = self.service.as_ref().filter(|service| service.is_instance).map(|service| {
            let (krate, ty) = (&self.krate, &service.ty);
            quote!(#krate::Data<#ty>)
        });
        let parameters = self.parameters.iter().filter_map(|parameter| match parameter {
            Parameter::Injected(Injected { ty, .. }) => Some(ty.to_token_stream()),
            Parameter::Argument(_) | Parameter::Broken => None,
        });
        instance.into_iter().chain(parameters)
    }
}

/// The path of `jobs_runtime`; as tokens, of the module that generated code takes everything from.
#[derive(Clone)]
pub(crate) struct Crate(pub(crate) Path);

impl Crate {
    /// The path, with all messages about it at `span`.
    pub(crate) fn at(&self, span: Span) -> TokenStream {
        self.to_token_stream()
            .into_iter()
            .map(|mut token| {
                token.set_span(span);
                token
            })
            .collect()
    }
}

impl ToTokens for Crate {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let path = &self.0;
        tokens.extend(quote!(#path::__private));
    }
}
