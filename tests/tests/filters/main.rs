//! Filters: round the creation of jobs, round their runs, and where their next state is decided.

mod creation;
mod elections;
mod parameters;
mod runs;
mod trace;
