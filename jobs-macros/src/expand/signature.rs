//! What the arguments are called when they are stored, and which types they have.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Attribute, LitStr, Meta, Token, Type, ext::IdentExt as _, punctuated::Punctuated, spanned::Spanned as _};

use crate::{
    model::{Argument, Model},
    options::upgrade::Versions,
    types,
};

/// `ARGUMENTS`
pub(super) fn constant(model: &Model) -> TokenStream {
    let krate = &model.krate;
    let arguments = model.arguments().map(|argument| {
        let Signature { name, ty, is_optional } = Signature::of(argument);
        quote!(#krate::ArgumentSignature { name: #name, ty: #ty, is_optional: #is_optional })
    });
    let versions = versions(model);
    quote! {
        #versions
        const ARGUMENTS: ::core::option::Option<&'static [#krate::ArgumentSignature]> =
            ::core::option::Option::Some(&[#(#arguments),*]);
    }
}

/// `VERSION` and `UPGRADES`, if they are not the first and none.
fn versions(model: &Model) -> Option<TokenStream> {
    let (krate, Versions { version, upgrades }) = (&model.krate, &model.options.versions);
    if *version == 1 {
        return None;
    }
    let upgrades = upgrades.iter().map(|(from, function)| {
        quote_spanned! {function.span()=>
            #krate::Upgrade { from: #from, convert: |stored| #krate::upgrade(stored, #function) }
        }
    });
    Some(quote! {
        const VERSION: u32 = #version;
        const UPGRADES: &'static [#krate::Upgrade] = &[#(#upgrades),*];
    })
}

struct Signature {
    name: String,
    ty: String,
    is_optional: bool,
}

impl Signature {
    fn of(argument: &Argument) -> Self {
        let mut signature = Self {
            name: argument.name.unraw().to_string(),
            ty: types::text(&argument.ty),
            is_optional: is_option(&argument.ty),
        };
        argument.serde.iter().for_each(|attribute| signature.read(attribute));
        signature
    }

    /// What serde is told of the field; what can't be read is for serde to report.
    fn read(&mut self, attribute: &Attribute) {
        let metas = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).unwrap_or_default();
        for meta in metas {
            let path = meta.path();
            if ["default", "skip", "skip_deserializing", "flatten"].iter().any(|option| path.is_ident(option)) {
                self.is_optional = true;
            } else if path.is_ident("rename")
                && let Some(name) = text(&meta)
            {
                self.name = name;
            }
        }
    }
}

fn text(meta: &Meta) -> Option<String> {
    let value = &meta.require_name_value().ok()?.value;
    syn::parse2::<LitStr>(quote!(#value)).ok().map(|literal| literal.value())
}

/// Serde takes what is missing for `None`.
fn is_option(ty: &Type) -> bool {
    types::last_segment(ty).is_some_and(|segment| segment.ident == "Option")
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;
    use syn::{ItemStruct, parse_quote};

    use super::Signature;
    use crate::model::Argument;

    fn signature(attributes: TokenStream, ty: TokenStream) -> (String, String, bool) {
        let item: ItemStruct = parse_quote!(struct S { #attributes month: #ty });
        let field = item.fields.into_iter().next().expect("one");
        let name = field.ident.expect("a name");
        let argument = Argument { name, ty: field.ty, docs: Vec::new(), serde: field.attrs, is_string: false };
        let Signature { name, ty, is_optional } = Signature::of(&argument);
        (name, ty, is_optional)
    }

    #[test]
    fn a_field_is_described_as_serde_stores_it() {
        let plain = |name: &str, ty: &str, is_optional| (name.to_owned(), ty.to_owned(), is_optional);
        assert_eq!(signature(quote!(), quote!(Vec<u32>)), plain("month", "Vec<u32>", false));
        assert_eq!(
            signature(quote!(), quote!(std::option::Option<u32>)),
            plain("month", "std::option::Option<u32>", true)
        );
        assert_eq!(signature(quote!(#[serde(rename = "m", default)]), quote!(u32)), plain("m", "u32", true));
        assert_eq!(signature(quote!(#[serde(default = "first")]), quote!(u32)), plain("month", "u32", true));
        assert_eq!(signature(quote!(#[serde(with = "x")]), quote!(u32)), plain("month", "u32", false));
    }
}
