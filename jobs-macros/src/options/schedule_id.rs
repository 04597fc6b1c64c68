//! Ids of schedules.

use std::ops::Range;

use syn::LitStr;

use crate::diagnostic::{Errors, Problem};

/// The longest id, in characters; the same as `ScheduleId::MAX_LEN`.
const MAX_LEN: usize = 200;

/// The schedule's id, which is the job's name if nothing else is said.
pub(crate) enum Id {
    OfJob,
    Given(LitStr),
    /// It has an error, which was reported.
    Wrong,
}

impl Id {
    pub(crate) fn read(literal: LitStr, errors: &Errors) -> Self {
        let id = literal.value();
        let Some(fault) = fault(&id) else { return Self::Given(literal) };
        let mut problem = Problem::new(format!("invalid schedule id: {}", fault.what));
        if let Some(at) = fault.at {
            problem = problem.caret(&id, at);
        }
        let better = id.trim().replace(char::is_control, "-");
        let help = if better.is_empty() {
            "write an `id`, or remove it to use the job's name".to_owned()
        } else if self::fault(&better).is_none() {
            format!("write `id = \"{}\"`", better.escape_debug())
        } else {
            "choose a shorter id".to_owned()
        };
        errors.at(literal, problem.help(help));
        Self::Wrong
    }
}

/// What is wrong with an id, and where if it is a part of it.
pub(crate) struct Fault {
    pub(crate) what: String,
    at: Option<Range<usize>>,
}

/// The rule of `ScheduleId`.
pub(crate) fn fault(id: &str) -> Option<Fault> {
    let at = |what: String, at: Range<usize>| Some(Fault { what, at: Some(at) });
    let whole = |what: String| Some(Fault { what, at: None });
    if id.is_empty() {
        return whole("it is empty".to_owned());
    }
    if id.trim().is_empty() {
        return whole("it has nothing but blanks".to_owned());
    }
    let (before, after) = (id.len() - id.trim_start().len(), id.trim_end().len());
    if before > 0 {
        return at("it begins with a blank".to_owned(), 0..before);
    }
    if after < id.len() {
        return at("it ends with a blank".to_owned(), after..id.len());
    }
    if let Some((start, wrong)) = id.char_indices().find(|(_, c)| c.is_control()) {
        let what = format!("`{}` is a control character", wrong.escape_debug());
        return at(what, start..start + wrong.len_utf8());
    }
    let len = id.chars().count();
    if len > MAX_LEN { whole(format!("it has {len} characters, and at most {MAX_LEN} are allowed")) } else { None }
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn what_can_be_no_id_has_a_fault() {
        for (id, what, at) in [
            ("", "it is empty", None),
            (" ", "it has nothing but blanks", None),
            ("  a", "it begins with a blank", Some(0..2)),
            ("a\n", "it ends with a blank", Some(1..2)),
            ("ü\u{0}b", "`\\0` is a control character", Some(2..3)),
            (&"ü".repeat(201), "it has 201 characters, and at most 200 are allowed", None),
        ] {
            let found = fault(id).expect(id);
            assert_eq!((found.what.as_str(), found.at), (what, at), "{id:?}");
        }
        for id in ["a", "my_app.digest", "digest:eu west/1", &"ü".repeat(200)] {
            assert!(fault(id).is_none(), "{id}");
        }
    }
}
