//! An item of which only the attributes are read.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Result,
    parse::{Parse, ParseStream},
    spanned::Spanned as _,
};

use crate::{
    diagnostic::{Errors, Problem},
    job_fn,
    recurring_attribute::{self, RecurringAttribute},
};

/// An item that may be half typed, or no function at all.
pub(crate) struct Annotated {
    attributes: Vec<Attribute>,
    item: TokenStream,
}

impl Annotated {
    /// The item with `#[recurring]` behind its `#[job]`, which takes it off. If there is no `#[job]`, that is reported,
    /// and the item is without.
    pub(crate) fn with_recurring(mut self, options: &TokenStream, errors: &Errors) -> TokenStream {
        // As if it stood in the source: else each error would say that it comes from a macro.
        let whole = Span::call_site().resolved_at(self.item.span());
        let Some(job) = self.attributes.iter().position(|attribute| job_fn::is(attribute, "job")) else {
            if !job_fn::report_other_kind("#[recurring]", &self.item, errors) {
                let problem = Problem::new("`#[recurring]` needs `#[job]` beside it");
                let help = "write `#[job]` on the same function; if it is a method, also `#[jobs]` on the impl block";
                errors.at_span(whole, problem.help(help));
            }
            return self.without_recurring();
        };
        // Those above `#[job]` go with it, so that all keep their order.
        let mut before: Vec<Attribute> = self.attributes.drain(..job).collect();
        let above: Vec<Attribute> = before.extract_if(.., |attribute| job_fn::is(attribute, "recurring")).collect();
        let recurring = recurring_attribute::moved(options, whole);
        let (behind, item) = (self.attributes.split_off(1), self.item);
        let job = self.attributes;
        quote!(#(#before)* #(#job)* #recurring #(#above)* #(#behind)* #item)
    }

    fn without_recurring(mut self) -> TokenStream {
        RecurringAttribute::take_all(&mut self.attributes);
        self.into_token_stream()
    }
}

/// The item without its `#[recurring]`s, which would report the same once more.
pub(crate) fn without_recurring(item: TokenStream) -> TokenStream {
    match syn::parse2::<Annotated>(item.clone()) {
        Ok(annotated) => annotated.without_recurring(),
        Err(_) => item,
    }
}

impl Parse for Annotated {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        Ok(Self { attributes: input.call(Attribute::parse_outer)?, item: input.parse()? })
    }
}

impl ToTokens for Annotated {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attributes, item } = self;
        tokens.extend(quote!(#(#attributes)* #item));
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::{Annotated, Errors};

    #[test]
    fn attributes_above_job_move_behind_it_in_their_order() {
        let errors = Errors::new();
        let item = quote! { #[doc = "x"] #[a::recurring(2)] #[job(x = 1)] #[recurring(3)] #[cfg(y)] fn f(x: ) };
        let annotated: Annotated = syn::parse2(item).expect("attributes");
        let moved = annotated.with_recurring(&quote!(1), &errors).to_string();
        let expected = quote! {
            #[doc = "x"] #[job(x = 1)] #[recurring(__moved 1)] #[a::recurring(2)] #[recurring(3)] #[cfg(y)] fn f(x: )
        };
        assert_eq!(moved, expected.to_string());
        assert_eq!(errors.messages(), [""; 0]);
    }

    #[test]
    fn without_job_there_is_one_error_and_the_function() {
        let errors = Errors::new();
        let annotated: Annotated = syn::parse2(quote!(
            #[recurring(2)]
            fn f() {}
        ))
        .expect("attributes");
        assert_eq!(
            annotated.with_recurring(&quote!(1), &errors).to_string(),
            quote!(
                fn f() {}
            )
            .to_string()
        );
        let messages = errors.messages();
        assert!(messages.len() == 1 && messages[0].starts_with("`#[recurring]` needs `#[job]`"), "{messages:?}");
    }
}
