//! What the macros accept and what they refuse, with the exact messages; see `tests/ui.rs`.
