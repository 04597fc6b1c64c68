//! Stands in for `private` on systems without Unix's processes and sockets.

use super::Kind;

pub(crate) const KEEPER: &str = "keep-servers";
pub(crate) const CONTROL: &str = "private-server";

const UNKNOWN: &str = "on this system xtask can't start servers";

/// There are none.
#[derive(Debug)]
pub(crate) enum Servers {}

impl Servers {
    pub(crate) fn new() -> Result<Self, String> {
        Err(UNKNOWN.to_owned())
    }

    pub(crate) fn create(&self, _: Kind, _: Option<&str>) -> Result<String, String> {
        match *self {}
    }

    pub(crate) fn control(&self, _: Kind) -> Result<String, String> {
        match *self {}
    }
}

pub(crate) fn installed(_: Kind) -> Result<String, String> {
    Err(UNKNOWN.to_owned())
}

pub(crate) fn keep() -> Result<(), String> {
    Err(UNKNOWN.to_owned())
}

pub(crate) fn control(_: &[String]) -> Result<String, String> {
    Err(UNKNOWN.to_owned())
}
