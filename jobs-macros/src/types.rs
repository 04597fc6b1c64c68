//! Questions about types as they are written; a macro sees no more of them than that.

use std::iter::Peekable;

use proc_macro2::{Delimiter, Group, Punct, Spacing, TokenStream, TokenTree, token_stream};
use quote::{ToTokens, quote};
use syn::{
    GenericArgument, Lifetime, PathArguments, PathSegment, Type, TypeFnPtr, TypeImplTrait, TypeReference,
    TypeTraitObject, visit::Visit,
};

/// The type itself, without parentheses and the invisible groups that `macro_rules!` makes.
pub(crate) fn plain(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => plain(&group.elem),
        Type::Paren(paren) => plain(&paren.elem),
        _ => ty,
    }
}

/// The last segment of a type that is a path: `Data<Mailer>` of `jobs::Data<Mailer>`.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match plain(ty) {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

/// The first type in the angle brackets of a segment.
pub(crate) fn first_argument(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Whether it is written `String`, `std::string::String` or `alloc::string::String`.
pub(crate) fn is_string(ty: &Type) -> bool {
    let Type::Path(path) = plain(ty) else { return false };
    if path.qself.is_some() || path.path.segments.iter().any(|segment| !segment.arguments.is_empty()) {
        return false;
    }
    let names: Vec<String> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    matches!(names[..], ["String"] | ["std" | "alloc", "string", "String"])
}

/// The names of plain values and of collections of them.
const VALUES: [&str; 31] = [
    "bool", "char", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize", "f32",
    "f64", "String", "PathBuf", "Duration", "Value", "Uuid", "DateTime", "Option", "Box", "Cow", "Vec", "VecDeque",
    "HashMap", "HashSet", "BTreeMap", "BTreeSet",
];

/// Whether it is named like a plain value or a collection, so that it is hardly what a server should supply.
pub(crate) fn is_value(ty: &Type) -> bool {
    match plain(ty) {
        Type::Path(_) => last_segment(ty).is_some_and(|segment| VALUES.iter().any(|name| segment.ident == *name)),
        Type::Array(_) | Type::Tuple(_) => true,
        _ => false,
    }
}

/// What a type must not contain if its values are to outlive the call.
#[derive(Default)]
pub(crate) struct Unstorable<'a> {
    /// A reference, or a lifetime other than `'static`.
    pub(crate) borrowed: Option<TokenStream>,
    pub(crate) impl_trait: Option<&'a TypeImplTrait>,
    pub(crate) trait_object: Option<&'a TypeTraitObject>,
}

impl<'a> Unstorable<'a> {
    pub(crate) fn find(ty: &'a Type) -> Self {
        let mut found = Self::default();
        found.visit_type(ty);
        found
    }
}

impl<'a> Visit<'a> for Unstorable<'a> {
    fn visit_type_reference(&mut self, reference: &'a TypeReference) {
        self.borrowed.get_or_insert_with(|| reference.to_token_stream());
    }

    fn visit_lifetime(&mut self, lifetime: &'a Lifetime) {
        if lifetime.ident != "static" {
            self.borrowed.get_or_insert_with(|| lifetime.to_token_stream());
        }
    }

    fn visit_type_impl_trait(&mut self, ty: &'a TypeImplTrait) {
        self.impl_trait.get_or_insert(ty);
    }

    fn visit_type_trait_object(&mut self, ty: &'a TypeTraitObject) {
        self.trait_object.get_or_insert(ty);
    }

    // The references in `fn(&str)` are not the value's own.
    fn visit_type_fn_ptr(&mut self, _: &'a TypeFnPtr) {}
}

/// The same tokens with each borrowed type replaced by the owned one: `Option<&str>` becomes `Option<String>`.
pub(crate) fn owned(tokens: TokenStream) -> TokenStream {
    let mut out = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '&' => {
                skip_reference_parts(&mut tokens);
                out.extend(tokens.next().map(owned_target));
            }
            TokenTree::Group(group) => {
                out.extend([TokenTree::Group(Group::new(group.delimiter(), owned(group.stream())))]);
            }
            token => out.extend([token]),
        }
    }
    out
}

/// Skips lifetime, `mut` and further `&`s.
fn skip_reference_parts(tokens: &mut Peekable<token_stream::IntoIter>) {
    while let Some(next) = tokens.peek() {
        match next {
            // The tick of a lifetime is followed by its name.
            TokenTree::Punct(punct) if punct.as_char() == '\'' => drop(tokens.next()),
            TokenTree::Punct(punct) if punct.as_char() == '&' => {}
            TokenTree::Ident(ident) if ident == "mut" => {}
            _ => return,
        }
        tokens.next();
    }
}

fn owned_target(token: TokenTree) -> TokenStream {
    match token {
        TokenTree::Ident(ident) if ident == "str" => quote!(String),
        TokenTree::Ident(ident) if ident == "Path" => quote!(PathBuf),
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
            let element = owned(group.stream());
            if element.clone().into_iter().any(|token| matches!(&token, TokenTree::Punct(p) if p.as_char() == ';')) {
                quote!([#element])
            } else {
                quote!(Vec<#element>)
            }
        }
        token => owned(token.into()),
    }
}

/// The same tokens with `Self` replaced, for use outside of the impl block.
pub(crate) fn replace_self(tokens: TokenStream, self_ty: &Type) -> TokenStream {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(ident) if ident == "Self" => self_ty.to_token_stream(),
            TokenTree::Group(group) => {
                let mut replaced = Group::new(group.delimiter(), replace_self(group.stream(), self_ty));
                replaced.set_span(group.span());
                TokenTree::Group(replaced).into()
            }
            token => token.into(),
        })
        .collect()
}

/// The tokens as a person would write them, for messages.
pub(crate) fn text(tokens: impl ToTokens) -> String {
    let mut text = String::new();
    write_text(tokens.to_token_stream(), &mut text);
    text
}

fn write_text(tokens: TokenStream, text: &mut String) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => write_group(&group, text),
            TokenTree::Punct(punct) => write_punct(&punct, text),
            word => {
                if text.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                    text.push(' ');
                }
                text.push_str(&word.to_string());
            }
        }
    }
}

fn write_group(group: &Group, text: &mut String) {
    let (open, close) = match group.delimiter() {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Bracket if text.ends_with(char::is_alphanumeric) => (" [", "]"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::Brace => ("{ ", " }"),
        Delimiter::None => ("", ""),
    };
    text.push_str(open);
    write_text(group.stream(), text);
    text.push_str(close);
}

fn write_punct(punct: &Punct, text: &mut String) {
    let joined = punct.spacing() == Spacing::Joint;
    match punct.as_char() {
        c @ (',' | ';') => text.extend([c, ' ']),
        ':' if !joined && !text.ends_with(':') => text.push_str(": "),
        '+' => text.push_str(" + "),
        '=' if !joined => text.push_str(" = "),
        '-' if joined => text.push_str(" -"),
        '>' if text.ends_with(" -") => text.push_str("> "),
        '\'' if text.ends_with(|c: char| c.is_alphanumeric()) => text.push_str(" '"),
        c => text.push(c),
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::{Type, parse_quote};

    use super::{Unstorable, is_string, owned, replace_self, text};

    #[test]
    fn strings_are_known_by_their_paths() {
        let strings: [Type; 4] = [
            parse_quote!(String),
            parse_quote!(std::string::String),
            parse_quote!(::alloc::string::String),
            parse_quote!((String)),
        ];
        assert!(strings.iter().all(is_string));
        let others: [Type; 4] =
            [parse_quote!(my::String), parse_quote!(str), parse_quote!(Option<String>), parse_quote!(String<u8>)];
        assert!(!others.iter().any(is_string));
    }

    #[test]
    fn an_owned_type_is_suggested_for_a_borrowed_one() {
        for (borrowed, suggested) in [
            (quote!(&str), "String"),
            (quote!(&'static str), "String"),
            (quote!(&'a mut User), "User"),
            (quote!(Option<&str>), "Option<String>"),
            (quote!(&[u8]), "Vec<u8>"),
            (quote!(&[&str]), "Vec<String>"),
            (quote!(&[u8; 4]), "[u8; 4]"),
            (quote!((i32, &Path)), "(i32, PathBuf)"),
            (quote!(HashMap<&str, Vec<&T>>), "HashMap<String, Vec<T>>"),
            (quote!(&&str), "String"),
        ] {
            assert_eq!(text(owned(borrowed)), suggested);
        }
    }

    #[test]
    fn types_are_written_as_people_write_them() {
        for (tokens, written) in [
            (quote!(Box<dyn Fn(u8) -> std::io::Result<()> + Send>), "Box<dyn Fn(u8) -> std::io::Result<()> + Send>"),
            (quote!(&'a mut [u8]), "&'a mut [u8]"),
            (quote!(impl Iterator<Item = u8>), "impl Iterator<Item = u8>"),
        ] {
            assert_eq!(text(tokens), written);
        }
    }

    #[test]
    fn what_cannot_be_stored_is_found_at_any_depth() {
        let find = |ty: &Type| {
            let found = Unstorable::find(ty);
            (found.borrowed.is_some(), found.impl_trait.is_some(), found.trait_object.is_some())
        };
        assert_eq!(find(&parse_quote!(Vec<Option<&str>>)), (true, false, false));
        assert_eq!(find(&parse_quote!(Cow<'_, str>)), (true, false, false));
        assert_eq!(find(&parse_quote!(Cow<'static, str>)), (false, false, false));
        assert_eq!(find(&parse_quote!((u8, impl Copy))), (false, true, false));
        assert_eq!(find(&parse_quote!(Box<dyn Copy>)), (false, false, true));
        assert_eq!(find(&parse_quote!(PhantomData<fn(&str)>)), (false, false, false));
    }

    #[test]
    fn self_is_replaced_in_groups_too() {
        let replaced = replace_self(quote!((Self, Vec<Self>)), &parse_quote!(a::Service));
        assert_eq!(text(replaced), "(a::Service, Vec<a::Service>)");
    }
}
