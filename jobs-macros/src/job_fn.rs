//! The annotated function, read and written again.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, FnArg, Meta, Path, Result, Signature, Visibility,
    ext::IdentExt as _,
    parse::{Parse, ParseStream, Parser as _},
};

use crate::{
    diagnostic::{Errors, Problem},
    recurring_attribute::RecurringAttribute,
};

/// A function whose body is kept as it is: a half-typed one must not keep the rest from working.
pub(crate) struct JobFn {
    /// All but the `#[recurring]`s.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) recurring: Vec<RecurringAttribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    body: TokenTree,
}

impl JobFn {
    pub(crate) fn has_body(&self) -> bool {
        matches!(&self.body, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
    }

    /// Takes the function's `#[job]` away, and returns its options; `None` if it has none.
    pub(crate) fn take_job_attribute(&mut self, errors: &Errors) -> Option<TokenStream> {
        let at = self.attributes.iter().position(|attribute| is(attribute, "job"))?;
        match self.attributes.remove(at).meta {
            Meta::Path(_) => Some(TokenStream::new()),
            Meta::List(list) => Some(list.tokens),
            Meta::NameValue(meta) => {
                errors.at(
                    meta,
                    Problem::new("`#[job]` has no value").help("write `#[job(…)]` with its options, or `#[job]`"),
                );
                Some(TokenStream::new())
            }
        }
    }

    /// Reports a second `#[job]`, and takes it away.
    pub(crate) fn take_second_job_attribute(&mut self, errors: &Errors) {
        for attribute in self.attributes.extract_if(.., |attribute| is(attribute, "job")) {
            errors.at(attribute, Problem::new("a function is one job").help("keep one `#[job]` with all its options"));
        }
    }
}

impl Parse for JobFn {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let recurring = RecurringAttribute::take_all(&mut attributes);
        Ok(Self { attributes, recurring, visibility: input.parse()?, signature: input.parse()?, body: input.parse()? })
    }
}

/// The function again, without the attributes that only the macro knows.
impl ToTokens for JobFn {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attributes, visibility, signature, body, .. } = self;
        let mut signature = signature.clone();
        for input in &mut signature.inputs {
            let (FnArg::Receiver(syn::Receiver { attrs, .. }) | FnArg::Typed(syn::PatType { attrs, .. })) = input;
            attrs.retain(|attribute| !is_helper(attribute));
        }
        tokens.extend(quote!(#(#attributes)* #visibility #signature #body));
    }
}

/// Whether the last segment of an attribute's path is `name`.
pub(crate) fn is(attribute: &Attribute, name: &str) -> bool {
    is_named(attribute.path(), name)
}

/// Whether the last segment of the path is `name`.
pub(crate) fn is_named(path: &Path, name: &str) -> bool {
    path.segments.last().is_some_and(|segment| segment.ident == name)
}

/// Whether the macro takes the attribute of a parameter for itself.
fn is_helper(attribute: &Attribute) -> bool {
    ["inject", "serde", "doc"].iter().any(|name| attribute.path().is_ident(name))
}

/// Reports that the attribute `owner` stands on something else than it is for.
pub(crate) fn report_other_item(owner: &str, item: &TokenStream, error: &syn::Error, errors: &Errors) {
    if !report_other_kind(owner, item, errors) {
        // The compiler has reported already what isn't Rust; what the parser here expects would be noise.
        errors.at_span(error.span(), Problem::new(format!("`{owner}` can't read what stands here")));
    }
}

/// Reports that `item` is of another kind than the attribute `owner` is for, if it is.
pub(crate) fn report_other_kind(owner: &str, item: &TokenStream, errors: &Errors) -> bool {
    let wanted_kind = if owner == "#[jobs]" { "an impl block" } else { "a function" };
    let Ok((keyword, kind)) = kind.parse2(item.clone()) else { return false };
    if kind == wanted_kind {
        return false;
    }
    let help = match (owner, kind) {
        ("#[job]", "an impl block") => "write `#[jobs]` on the impl block, and `#[job]` on its methods",
        ("#[job]", _) => "write it on an `async fn` or a `fn`",
        ("#[recurring]", "an impl block") => {
            "write `#[jobs]` on the impl block, and `#[job]` and `#[recurring]` on its methods"
        }
        ("#[recurring]", _) => "write it beside `#[job]` on an `async fn` or a `fn`",
        (_, "a function") => "write `#[job]` on a function",
        _ => "write it on an `impl` block whose methods have `#[job]`",
    };
    let what = format!("`{owner}` is for {wanted_kind}, and this is {kind}");
    errors.at(keyword, Problem::new(what).help(help));
    true
}

/// The keyword of an item, and what it makes the item.
fn kind(input: ParseStream<'_>) -> Result<(Ident, &'static str)> {
    input.call(Attribute::parse_outer)?;
    input.parse::<Visibility>()?;
    loop {
        let keyword = input.call(Ident::parse_any)?;
        let kind = match keyword.to_string().as_str() {
            "async" | "extern" | "unsafe" => continue,
            "const" if input.peek(syn::Token![fn]) || input.peek(syn::Token![async]) => continue,
            "fn" => "a function",
            "struct" => "a struct",
            "enum" => "an enum",
            "union" => "a union",
            "trait" => "a trait",
            "impl" => "an impl block",
            "mod" => "a module",
            "const" => "a constant",
            "static" => "a static",
            "type" => "a type alias",
            "use" => "a `use`",
            _ => return Err(input.error("another item")),
        };
        input.parse::<TokenStream>()?;
        return Ok((keyword, kind));
    }
}
