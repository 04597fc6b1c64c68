//! The implementation of `Job`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::{settings, signature};
use crate::model::{Argument, Model, Output, Parameter, Service};

/// The implementation that calls the function.
pub(super) fn whole(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let constants = settings::constants(model);
    let arguments = signature::constant(model);
    // The line is the function's, not the attribute's.
    let location = super::location(model, model.function.span());
    let requirements = requirements(model);
    let perform = perform(model);
    implementation(
        model,
        quote! {
            #constants
            #arguments
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
        Output::Result(ty) => {
            let path = krate.at(ty.span());
            quote_spanned!(ty.span()=> <#ty as #path::ResultParts>::Value)
        }
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
    let output = match &model.output {
        Output::Unit => quote!(Self::Output),
        Output::Value(ty) | Output::Result(ty) => quote_spanned!(ty.span()=> Self::Output),
    };
    quote_spanned! {model.span()=>
        async fn perform(
            self,
            #context: #krate::JobContext,
        ) -> ::core::result::Result<#output, #krate::JobError>
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
        Output::Unit => quote!(let () = #call; ::core::result::Result::Ok(())),
        Output::Value(_) => quote!(::core::result::Result::Ok(#call)),
        Output::Result(ty) => {
            let path = krate.at(ty.span());
            let result = Ident::new("result", ty.span());
            let into_result = match model.options.retry.as_ref().and_then(|retry| retry.when.as_ref()) {
                None => quote_spanned!(ty.span()=> #path::into_result::<#ty>(#result)),
                Some(when) => quote_spanned!(when.span()=> #path::into_result_when::<#ty>(#result, #when)),
            };
            quote_spanned! {ty.span()=>
                let #result = #call;
                #into_result
            }
        }
    };
    quote_spanned!(model.span()=> #signature { #(#locals)* #body })
}

/// The call of the function, up to its result.
fn call(model: &Model) -> TokenStream {
    let span = model.span();
    let mut locals = locals();
    let mut function = model.function.clone();
    function.set_span(span);
    let mut values = Vec::new();
    let path = match &model.service {
        Some(Service { ty, .. }) => quote_spanned!(span=> <#ty>::#function),
        None => function.to_token_stream(),
    };
    if model.service.as_ref().is_some_and(|service| service.is_instance) {
        values.extend(locals.next().map(|instance| quote!(&#instance)));
    }
    values.extend(model.parameters.iter().filter_map(|parameter| match parameter {
        Parameter::Argument(Argument { name, .. }) => Some(quote_spanned!(span=> self.#name)),
        Parameter::Injected(_) => locals.next().map(|local| quote!(#local)),
        Parameter::Broken => None,
    }));
    let call = quote_spanned!(span=> #path(#(#values),*));
    if model.is_async {
        quote_spanned!(span=> #call.await)
    } else {
        let krate = model.krate.at(span);
        quote_spanned!(span=> #krate::blocking(move || #call).await)
    }
}

/// Names of the injected values, which no argument can collide with.
fn locals() -> impl Iterator<Item = Ident> {
    (0_usize..).map(|index| format_ident!("injected_{index}", span = Span::mixed_site()))
}
