//! The `#[recurring]`s of a function as they are written, before their options are read.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{TokenStreamExt as _, quote, quote_spanned};
use syn::{
    Attribute, Meta, Result, Token,
    parse::{ParseStream, Parser as _},
    punctuated::Punctuated,
};

use crate::job_fn;

/// Stands before the options of a `#[recurring]` that moved behind `#[job]`.
const MOVED: &str = "__moved";

/// Stands for the options of a `#[recurring]` that is there only to be found by the compiler.
const MENTION: &str = "__mention";

/// One `#[recurring]`.
pub(crate) struct RecurringAttribute {
    pub(crate) attribute: Attribute,
    /// The condition of the `#[cfg_attr]` in which it stands.
    pub(crate) condition: Option<TokenStream>,
    /// Whether it stood above `#[job]`, so that the compiler has found the macro by its path.
    has_moved: bool,
}

impl RecurringAttribute {
    /// Takes all of them out of the attributes of a function.
    pub(crate) fn take_all(attributes: &mut Vec<Attribute>) -> Vec<Self> {
        let mut taken = Vec::new();
        for attribute in std::mem::take(attributes) {
            if job_fn::is(&attribute, "recurring") {
                taken.push(Self::new(attribute, None));
            } else {
                attributes.extend(Self::take_conditional(attribute, &mut taken));
            }
        }
        taken
    }

    /// Takes them out of a `#[cfg_attr]`, which the compiler does not read before `#[job]` or `#[jobs]` above it.
    fn take_conditional(attribute: Attribute, taken: &mut Vec<Self>) -> Option<Attribute> {
        let Meta::List(list) = &attribute.meta else { return Some(attribute) };
        let Ok((condition, metas)) = conditional.parse2(list.tokens.clone()) else { return Some(attribute) };
        let (recurring, others): (Vec<Meta>, Vec<Meta>) =
            metas.into_iter().partition(|meta| job_fn::is_named(meta.path(), "recurring"));
        if !attribute.path().is_ident("cfg_attr") || recurring.is_empty() {
            return Some(attribute);
        }
        for meta in recurring {
            taken.push(Self::new(Attribute { meta, ..attribute.clone() }, Some(condition.clone())));
        }
        let mut list = list.clone();
        list.tokens = quote!(#condition, #(#others),*);
        (!others.is_empty()).then(|| Attribute { meta: Meta::List(list), ..attribute })
    }

    fn new(mut attribute: Attribute, condition: Option<TokenStream>) -> Self {
        let mut has_moved = false;
        if let Meta::List(list) = &mut attribute.meta {
            let mut options = list.tokens.clone().into_iter();
            if options.next().is_some_and(|first| first.to_string() == MOVED) {
                list.tokens = options.collect();
                has_moved = true;
            }
        }
        Self { attribute, condition, has_moved }
    }

    /// Code that does nothing but name the macro by the path that is written. Without it the compiler would not look
    /// it up, and would say that its import is unused.
    pub(crate) fn mention(&self) -> Option<TokenStream> {
        let (path, mention) = (self.attribute.path(), Ident::new(MENTION, Span::call_site()));
        (!self.has_moved).then(|| quote!(#[#path(#mention)] const _: () = ();))
    }
}

/// The attribute with these options as it moves behind `#[job]`; all its own tokens have the span `whole`.
pub(crate) fn moved(options: &TokenStream, whole: Span) -> TokenStream {
    let moved = Ident::new(MOVED, whole);
    quote_spanned!(whole=> #[recurring(#moved #options)])
}

/// Whether the options are those of a [mention](RecurringAttribute::mention).
pub(crate) fn is_mention(options: &TokenStream) -> bool {
    options.to_string() == MENTION
}

/// The condition of a `#[cfg_attr]`, and what holds under it.
fn conditional(input: ParseStream<'_>) -> Result<(TokenStream, Punctuated<Meta, Token![,]>)> {
    let mut condition = TokenStream::new();
    while !input.peek(Token![,]) {
        condition.append(input.parse::<TokenTree>()?);
    }
    input.parse::<Token![,]>()?;
    Ok((condition, Punctuated::parse_terminated(input)?))
}

#[cfg(test)]
mod tests {
    use quote::{ToTokens as _, quote};
    use syn::{Attribute, parse_quote};

    use super::{RecurringAttribute, Span, moved};

    fn take(mut attributes: Vec<Attribute>) -> (Vec<RecurringAttribute>, String) {
        let taken = RecurringAttribute::take_all(&mut attributes);
        (taken, quote!(#(#attributes)*).to_string())
    }

    #[test]
    fn they_are_taken_in_their_order() {
        let moved: Attribute = {
            let moved = moved(&quote!(id = "a"), Span::call_site());
            parse_quote!(#moved)
        };
        let (taken, rest) = take(vec![parse_quote!(#[inline]), moved, parse_quote!(#[a::recurring(id = "b")])]);
        assert_eq!(rest, quote!(#[inline]).to_string());
        assert_eq!(taken.len(), 2);
        assert_eq!(taken[0].attribute.to_token_stream().to_string(), quote!(#[recurring(id = "a")]).to_string());
        assert!(taken[0].mention().is_none(), "it was found already");
        assert!(taken[1].mention().expect("not yet").to_string().contains("a :: recurring"));
    }

    #[test]
    fn conditional_ones_keep_their_condition() {
        let attribute = parse_quote!(#[cfg_attr(all(a, not(b)), inline, recurring(id = "a"), recurring, cold)]);
        let other: Attribute = parse_quote!(#[cfg_attr(true, inline)]);
        let (taken, rest) = take(vec![attribute, other]);
        assert_eq!(rest, quote!(#[cfg_attr(all(a, not(b)), inline, cold)] #[cfg_attr(true, inline)]).to_string());
        assert_eq!(taken.len(), 2);
        for each in &taken {
            let condition = each.condition.as_ref().map(ToString::to_string);
            assert_eq!(condition, Some(quote!(all(a, not(b))).to_string()));
        }
        let (taken, rest) = take(vec![parse_quote!(#[cfg_attr(false, recurring(id = "a"))])]);
        assert_eq!((taken.len(), rest.as_str()), (1, ""));
    }
}
