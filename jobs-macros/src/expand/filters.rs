//! The filters that stand beside the job.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use crate::model::Model;

/// What submits them, those of the impl block first.
pub(super) fn submission(model: &Model) -> Option<TokenStream> {
    let (krate, struct_name) = (&model.krate, &model.struct_name);
    let mut filters = model.filters.iter().chain(&model.options.filters).peekable();
    filters.peek()?;
    let filters = filters.map(|filter| quote_spanned!(filter.span()=> .and(#filter)));
    Some(quote! {
        #krate::inventory::submit! {
            #krate::FilterDescriptor::new(
                || <#struct_name as #krate::Job>::NAME,
                || #krate::DeclaredFilters::new() #(#filters)*,
            )
        }
    })
}
