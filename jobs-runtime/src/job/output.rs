use serde::{Serialize, de::DeserializeOwned, ser::Error as _};
use serde_json::value::{RawValue, to_raw_value};

/// What a job may return: any value that can be written as JSON and read back.
///
/// It is implemented for all types that have serde's two traits, own their values and can be sent to another
/// thread; there is nothing to implement by hand.
// The traits are not supertraits: then the compiler would report each that is missing, and not this one.
#[diagnostic::on_unimplemented(
    message = "a job can't store a result of type `{Self}`",
    label = "a result must implement `Serialize`, `Deserialize` and `Send`, and own its values",
    note = "derive both for a type of your own: `#[derive(serde::Serialize, serde::Deserialize)]`",
    note = "a job whose result nobody reads returns `()` or `Result<(), E>`"
)]
pub trait JobOutput: Sized + Send + 'static {
    /// Writes the value.
    ///
    /// # Errors
    ///
    /// What serde said, or that the JSON is too deep to be read back.
    #[doc(hidden)]
    fn to_json(&self) -> serde_json::Result<Box<RawValue>>;

    /// Reads a value from its JSON text; not from a `Value`, which has no room for a `u128`.
    ///
    /// # Errors
    ///
    /// What serde said.
    #[doc(hidden)]
    fn from_json(json: &str) -> serde_json::Result<Self>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> JobOutput for T {
    fn to_json(&self) -> serde_json::Result<Box<RawValue>> {
        let json = to_raw_value(self)?;
        match depth(json.get()) {
            ..=MAX_DEPTH => Ok(json),
            deep => Err(serde_json::Error::custom(format_args!(
                "it is {deep} levels deep, and only {MAX_DEPTH} can be read back; return something flatter"
            ))),
        }
    }

    fn from_json(json: &str) -> serde_json::Result<Self> {
        serde_json::from_str(json)
    }
}

/// A result is longer than its server stores, and so its job has failed; see
/// [`max_result`](crate::server::JobServerBuilder::max_result).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
#[error(
    "the result is {bytes} bytes of JSON, more than the limit of {limit}: store what is large elsewhere and return its \
     name, or raise the limit with `JobServerBuilder::max_result`"
)]
pub struct ResultTooLarge {
    /// How long it is.
    pub bytes: usize,
    /// How long it may be.
    pub limit: usize,
}

impl ResultTooLarge {
    pub(crate) fn check(result: &RawValue, limit: usize) -> Result<(), Self> {
        let bytes = result.get().len();
        if bytes <= limit { Ok(()) } else { Err(Self { bytes, limit }) }
    }
}

/// How deep a result may be: `serde_json` reads 127 levels, and in the history the result lies one level down.
pub(crate) const MAX_DEPTH: usize = 126;

/// How many arrays and objects of a JSON text lie in one another.
pub(crate) fn depth(json: &str) -> usize {
    let (mut deepest, mut open, mut in_string, mut escaped) = (0, 0_usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => open += 1,
            b']' | b'}' if !in_string => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{JobOutput, MAX_DEPTH, depth};

    fn nested(levels: usize) -> Value {
        (0..levels).fold(Value::Null, |inner, _| json!([inner]))
    }

    #[test]
    fn numbers_too_large_for_a_value_survive() {
        for number in [u128::MAX, 0] {
            let json = number.to_json().expect("written");
            assert_eq!(u128::from_json(json.get()).expect("read"), number);
        }
    }

    #[test]
    fn what_is_written_can_be_read_and_what_cannot_is_refused() {
        let json = nested(MAX_DEPTH).to_json().expect("written");
        let data = format!("{{\"result\":{json}}}");
        assert!(serde_json::from_str::<Value>(&data).is_ok(), "the history can be read");
        let error = nested(MAX_DEPTH + 1).to_json().expect_err("too deep").to_string();
        assert!(error.contains("127 levels deep") && error.contains("126"), "{error}");
    }

    #[test]
    fn brackets_in_texts_are_not_levels() {
        assert_eq!(depth(r#"{"a[[\"[": ["]]", {}], "b": "\\"}"#), 3);
        assert_eq!(depth("7"), 0);
    }
}
