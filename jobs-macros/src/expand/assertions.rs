//! Checks that only the compiler can make, each pointing to the type that it is about.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use crate::model::{Model, Output};

const HIDDEN_RESULT: &str = "this job returns a `Result` under another name, so its errors would be stored as values\n\
    = help: write `Result`, or a name that ends with `Result`, as the function's return type";

pub(super) fn all(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let arguments = model.arguments().map(|argument| {
        let ty = &argument.ty;
        quote_spanned!(ty.span()=> #krate::assert_argument::<#ty>();)
    });
    let output = match &model.output {
        Output::Unit | Output::Result(_) => TokenStream::new(),
        Output::Value(ty) => quote_spanned! {ty.span()=>
            #[allow(unused_imports, reason = "not used by a type that is a `Result`")]
            use #krate::NotResult as _;
            ::core::assert!(!#krate::Probe::<#ty>::IS_RESULT, #HIDDEN_RESULT);
        },
    };
    quote!(#(#arguments)* #output)
}
