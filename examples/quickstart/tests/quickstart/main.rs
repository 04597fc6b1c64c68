//! The quickstart as its users start it: the real program, on real folders, with a real `kill -9`.

mod errors;
mod files;
mod kills;
mod place;
mod runs;
