//! The implementation of `Job`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::settings;
use crate::model::{Model, Output, Parameter};

/// The implementation that calls the function.
pub(super) fn whole(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let constants = settings::constants(model);
    // The line is the function's, not the attribute's.
    let location = quote_spanned! {model.function.span()=>
        #krate::Location::new(::core::file!(), ::core::line!())
    };
    let requirements = requirements(model);
    let perform = perform(model);
    implementation(
        model,
        quote! {
            #constants
            const LOCATION: ::core::option::Option<#krate::Location> = ::core::option::Option::Some(#location);
            #requirements
            #perform
        },
    )
}

/// An implementation that is enough for callers to compile.
pub(super) fn stub(model: &Model) -> TokenStream {
    let signature = signature(model, &quote!(_));
    implementation(model, quote!(#signature { ::core::unreachable!() }))
}

fn implementation(model: &Model, rest: TokenStream) -> TokenStream {
    let Model { krate, struct_name, .. } = model;
    let name = settings::name(krate, &model.name);
    let output = match &model.output {
        Output::Unit => quote!(()),
        Output::Value(ty) => quote!(#ty),
        Output::Result(ty) => quote_spanned!(ty.span()=> <#ty as #krate::ResultParts>::Value),
    };
    quote! {
        #[automatically_derived]
        impl #krate::Job for #struct_name {
            type Output = #output;
            const NAME: #krate::JobName = #name;
            #rest
        }
    }
}

fn requirements(model: &Model) -> Option<TokenStream> {
    let krate = &model.krate;
    let mut injected = model.injected().peekable();
    injected.peek()?;
    let list = Ident::new("requirements", Span::mixed_site());
    let calls = injected.map(|ty| quote_spanned!(ty.span()=> <#ty as #krate::FromContext>::requirements(#list);));
    Some(quote!(fn requirements(#list: &mut #krate::Requirements) { #(#calls)* }))
}

fn signature(model: &Model, context: &TokenStream) -> TokenStream {
    let krate = model.krate.at(model.span());
    quote_spanned! {model.span()=>
        async fn perform(
            self,
            #context: #krate::JobContext,
        ) -> ::core::result::Result<Self::Output, #krate::JobError>
    }
}

fn perform(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let injected: Vec<TokenStream> = model.injected().collect();
    let context = Ident::new("cx", Span::mixed_site());
    let pattern = if injected.is_empty() { quote!(_) } else { quote!(#context) };
    let signature = signature(model, &pattern);
    let locals = injected.iter().zip(locals()).map(|(ty, local)| {
        quote_spanned! {ty.span()=>
            let #local = <#ty as #krate::FromContext>::from_context(&#context).await?;
        }
    });
    let call = call(model);
    let body = match &model.output {
        Output::Unit => quote!(#call; ::core::result::Result::Ok(())),
        Output::Value(_) => quote!(::core::result::Result::Ok(#call)),
        Output::Result(ty) => {
            let convert = quote_spanned!(ty.span()=> #krate::into_result::<#ty>);
            quote!(#convert(#call))
        }
    };
    quote!(#signature { #(#locals)* #body })
}

/// The call of the function, up to its result.
fn call(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let function = &model.function;
    let mut locals = locals();
    let (path, instance) = match &model.service {
        Some(service) => {
            let (ty, local) = (&service.ty, service.is_instance.then(|| locals.next()).flatten());
            (quote!(<#ty>::#function), local.map(|local| quote!(&#local,)))
        }
        None => (quote!(#function), None),
    };
    let values = model.parameters.iter().filter_map(|parameter| match parameter {
        Parameter::Argument(argument) => {
            let name = &argument.name;
            Some(quote_spanned!(model.span()=> self.#name))
        }
        Parameter::Injected(_) => locals.next().map(|local| quote!(#local)),
        Parameter::Broken => None,
    });
    let call = quote!(#path(#instance #(#values),*));
    if model.is_async { quote!(#call.await) } else { quote!(#krate::blocking(move || #call).await) }
}

/// Names of the injected values, which no argument can collide with.
fn locals() -> impl Iterator<Item = Ident> {
    (0_usize..).map(|index| format_ident!("injected_{index}", span = Span::mixed_site()))
}
