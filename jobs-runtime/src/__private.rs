//! What generated code names. Not part of the public API: it may change with any version.

pub use inventory;
pub use serde;

pub use crate::job::blocking;
