use serde::{Serialize, de::DeserializeOwned};

/// What a job may return: any value that can be written as JSON and read back.
///
/// It is implemented for all types that serde's two traits are derived for.
#[diagnostic::on_unimplemented(
    message = "a job can't store a result of type `{Self}`",
    label = "a result must implement `Serialize`, `Deserialize` and `Send`, and own its values",
    note = "derive both for a type of your own: `#[derive(serde::Serialize, serde::Deserialize)]`",
    note = "a job whose result nobody reads returns `()` or `Result<(), E>`"
)]
pub trait JobOutput: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> JobOutput for T {}
