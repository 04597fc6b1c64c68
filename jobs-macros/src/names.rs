//! Names derived from the function's and the arguments'.

use proc_macro2::Ident;
use syn::ext::IdentExt as _;

/// The struct's name: the function's in upper camel case, or `None` if that is not a name.
pub(crate) fn struct_name(function: &Ident) -> Option<Ident> {
    let name = upper_camel_case(&function.unraw().to_string());
    let name = if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name };
    identifier(&name, function)
}

/// The stored name of an argument: leading underscores say that the function ignores it today, not who it is.
pub(crate) fn argument_name(parameter: &Ident) -> Ident {
    let name = parameter.unraw().to_string();
    let bare = name.trim_start_matches('_');
    if bare.len() == name.len() {
        return parameter.clone();
    }
    let raw = || format!("r#{bare}");
    identifier(bare, parameter).or_else(|| identifier(&raw(), parameter)).unwrap_or_else(|| parameter.clone())
}

fn identifier(name: &str, at: &Ident) -> Option<Ident> {
    let mut ident: Ident = syn::parse_str(name).ok()?;
    ident.set_span(at.span());
    Some(ident)
}

/// `send_welcome` → `SendWelcome`; an underscore between two digits stays, because `2_10` is not `210`.
fn upper_camel_case(name: &str) -> String {
    let mut out = String::new();
    for word in name.split('_').filter(|word| !word.is_empty()) {
        if out.ends_with(|c: char| c.is_ascii_digit()) && word.starts_with(|c: char| c.is_ascii_digit()) {
            out.push('_');
        }
        let mut characters = word.chars();
        out.extend(characters.next().into_iter().flat_map(char::to_uppercase));
        out.push_str(characters.as_str());
    }
    out
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;
    use quote::format_ident;

    use super::{Ident, argument_name, struct_name};

    #[test]
    fn a_struct_is_named_after_its_function() {
        for (function, name) in [
            ("send_welcome", Some("SendWelcome")),
            ("ping", Some("Ping")),
            ("_ping__pong_", Some("PingPong")),
            ("step_2_10_b", Some("Step2_10B")),
            ("_2fa", Some("_2fa")),
            ("sendURL", Some("SendURL")),
            ("überweisen", Some("Überweisen")),
            ("发送", Some("发送")),
            ("self_", None),
            ("__", None),
        ] {
            let ident = Ident::new(function, Span::call_site());
            assert_eq!(struct_name(&ident).map(|name| name.to_string()).as_deref(), name, "{function}");
        }
        assert_eq!(struct_name(&format_ident!("r#match")).expect("a name"), "Match");
    }

    #[test]
    fn an_ignored_argument_keeps_its_name() {
        for (parameter, name) in [("_count", "count"), ("__x", "x"), ("_type", "r#type"), ("_1", "_1"), ("x", "x")] {
            assert_eq!(argument_name(&format_ident!("{parameter}")), name);
        }
        assert_eq!(argument_name(&format_ident!("r#type")), "r#type");
        assert_eq!(argument_name(&format_ident!("_self")), "_self");
    }
}
