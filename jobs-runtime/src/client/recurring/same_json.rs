use std::collections::BTreeMap;

use serde_json::{Value, value::RawValue};

/// Whether two texts are the same JSON, but for blanks and the order of fields.
pub(super) fn same_json(one: &str, other: &str) -> bool {
    // Reading them as values refuses what is nested too deeply to be looked at piece by piece.
    one == other || (parse::<Value>(one).is_some_and(|value| parse(other) == Some(value)) && same_pieces(one, other))
}

/// The same of texts whose values are equal; those of large numbers are rounded, so their texts are compared.
fn same_pieces(one: &str, other: &str) -> bool {
    if let (Some(one), Some(other)) = (parse::<Fields<'_>>(one), parse::<Fields<'_>>(other)) {
        return one.iter().zip(&other).all(|((_, one), (_, other))| same_pieces(one.get(), other.get()));
    }
    if let (Some(one), Some(other)) = (parse::<Items<'_>>(one), parse::<Items<'_>>(other)) {
        return one.iter().zip(&other).all(|(one, other)| same_pieces(one.get(), other.get()));
    }
    one == other || parse::<String>(one).is_some()
}

type Fields<'t> = BTreeMap<String, &'t RawValue>;
type Items<'t> = Vec<&'t RawValue>;

fn parse<'t, T: serde::Deserialize<'t>>(text: &'t str) -> Option<T> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::same_json;

    #[test]
    fn fields_may_come_in_another_order() {
        assert!(same_json(
            r#"{"a":1,"b":{"c":[1,{"d":"x","e":null}],"f":0.5}}"#,
            r#"{"b":{"f":0.5,"c":[1,{"e":null,"d":"x"}]},"a":1}"#
        ));
        assert!(same_json(r#"[1, "\u0061"]"#, r#"[1,"a"]"#));
    }

    #[test]
    fn what_differs_is_seen() {
        for (one, other) in [
            (r#"{"a":1}"#, r#"{"a":2}"#),
            (r#"{"a":1}"#, r#"{"a":1,"b":1}"#),
            ("[1,2]", "[2,1]"),
            ("[1]", "1"),
            ("null", "{}"),
            (r#""a""#, r#""b""#),
            // As floating-point numbers they are equal.
            ("[340282366920938463463374607431768211454]", "[340282366920938463463374607431768211455]"),
            ("{", "{ "),
        ] {
            assert!(!same_json(one, other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_nested_very_deeply_is_compared_as_text() {
        let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(same_json(&deep("1"), &deep("1")));
        assert!(!same_json(&deep("1"), &deep(" 1")));
    }
}
