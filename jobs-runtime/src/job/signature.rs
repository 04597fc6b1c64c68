/// An argument of a job as it stands in the source.
///
/// [`assert_signatures`](crate::testing::assert_signatures) compares it with what it was before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArgumentSignature {
    /// Its name in the stored JSON.
    pub name: &'static str,
    /// Its type, as it is written.
    pub ty: &'static str,
    /// Whether a stored call may lack it: it is an `Option`, or has a `#[serde(default)]`.
    pub is_optional: bool,
}
