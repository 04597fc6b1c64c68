//! What is each storage's own, beside the suite that all of them pass.

mod sqlite;
