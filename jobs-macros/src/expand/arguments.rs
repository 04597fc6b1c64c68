//! The struct that holds a call's arguments, with `new` and `enqueue`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Attribute, Type, ext::IdentExt as _, spanned::Spanned as _};

use super::allow_deprecated;
use crate::{
    model::{Argument, Model, Parameter},
    types,
};

pub(super) fn items(model: &Model) -> TokenStream {
    let struct_ = struct_item(model);
    let constructors = constructors(model);
    quote!(#struct_ #constructors)
}

fn struct_item(model: &Model) -> TokenStream {
    let Model { krate, visibility, docs, cfgs, deprecated, struct_name, .. } = model;
    let serde = format!("{}::serde", types::text(krate));
    let documentation = if docs.is_empty() {
        let text = format!("A call of the job `{}`.", model.function.unraw());
        quote!(#[doc = #text])
    } else {
        quote!(#(#docs)*)
    };
    let fields = model.arguments().map(|argument| field(model, argument));
    let path = krate.at(model.span());
    let derive = quote_spanned!(model.span()=> #[derive(#path::serde::Serialize, #path::serde::Deserialize)]);
    // Messages about the struct then point to the function's name.
    let item = quote_spanned!(struct_name.span()=> struct #struct_name { #(#fields),* });
    quote! {
        #documentation
        #(#cfgs)*
        #deprecated
        #[allow(non_camel_case_types, missing_debug_implementations, reason = "its name and fields are the function's")]
        #derive
        #[serde(crate = #serde)]
        #visibility #item
    }
}

fn field(model: &Model, argument: &Argument) -> TokenStream {
    let visibility = &model.visibility;
    let Argument { name, ty, docs, serde, .. } = argument;
    // Errors about a field are shown at its first token, so that must be the type's.
    let span = first_span(ty);
    let docs = if docs.is_empty() {
        let text = format!("The `{}` argument.", name.unraw());
        quote_spanned!(span=> #[doc = #text])
    } else {
        docs.iter().map(|attribute| at(attribute, span)).collect()
    };
    quote!(#docs #(#serde)* #visibility #name: #ty)
}

fn at(attribute: &Attribute, span: Span) -> TokenStream {
    let meta = &attribute.meta;
    quote_spanned!(span=> #[#meta])
}

fn first_span(ty: &Type) -> Span {
    types::plain(ty).span()
}

fn constructors(model: &Model) -> TokenStream {
    let Model { krate, visibility, cfgs, struct_name, .. } = model;
    let allow = allow_deprecated(model);
    let parameters: Vec<TokenStream> = parameters(model).map(|(name, ty)| quote!(#name: #ty)).collect();
    let names = self::parameters(model).map(|(name, _)| name);
    let fields = model.arguments().map(|Argument { name, is_string, .. }| match is_string {
        true => quote!(#name: ::core::convert::Into::into(#name)),
        false => quote!(#name),
    });
    let function = model.function.unraw();
    let new_docs = format!("Makes a call of the job `{function}` without storing it.");
    let enqueue_docs =
        format!("Enqueues a call of the job `{function}`. Nothing is stored before the returned builder is awaited.");
    let path = krate.at(model.span());
    let new = quote_spanned!(model.span()=> fn new(#(#parameters),*) -> Self);
    let enqueue = quote_spanned!(model.span()=> fn enqueue(#(#parameters),*) -> #path::Enqueue<Self>);
    quote! {
        #(#cfgs)*
        #allow
        #[allow(dead_code, clippy::new_without_default, clippy::too_many_arguments, reason = "made from the function")]
        impl #struct_name {
            #[doc = #new_docs]
            #[must_use]
            #visibility #new {
                Self { #(#fields),* }
            }

            #[doc = #enqueue_docs]
            #visibility #enqueue {
                #krate::Enqueue::new(Self::new(#(#names),*))
            }
        }
    }
}

/// The parameters of `new` and `enqueue`: the function's without the injected ones.
fn parameters(model: &Model) -> impl Iterator<Item = (Ident, TokenStream)> {
    model.parameters.iter().enumerate().filter_map(|(index, parameter)| match parameter {
        Parameter::Argument(Argument { name, ty, is_string: true, .. }) => {
            Some((name.clone(), quote!(impl ::core::convert::Into<#ty>)))
        }
        Parameter::Argument(Argument { name, ty, .. }) => Some((name.clone(), quote!(#ty))),
        Parameter::Injected(_) => None,
        Parameter::Broken => {
            let name = format_ident!("_broken_{index}", span = Span::mixed_site());
            Some((name, quote!(impl ::core::marker::Sized)))
        }
    })
}
