//! The jobs of a run, one file each.

mod contents;
mod read_file;
mod remind;
mod report;
mod stumble;

pub(crate) use self::{
    contents::Contents,
    read_file::{Pace, ReadFile},
    remind::Remind,
    report::{Report, WriteReport},
    stumble::Stumble,
};
