use serde::{Serialize, de::DeserializeOwned};
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
    /// What serde said.
    #[doc(hidden)]
    fn to_json(&self) -> serde_json::Result<Box<RawValue>>;

    /// Reads a value.
    ///
    /// # Errors
    ///
    /// What serde said.
    #[doc(hidden)]
    fn from_json(json: serde_json::Value) -> serde_json::Result<Self>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> JobOutput for T {
    fn to_json(&self) -> serde_json::Result<Box<RawValue>> {
        to_raw_value(self)
    }

    fn from_json(json: serde_json::Value) -> serde_json::Result<Self> {
        serde_json::from_value(json)
    }
}
