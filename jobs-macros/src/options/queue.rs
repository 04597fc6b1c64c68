//! Names of queues.

use syn::LitStr;

use crate::diagnostic::{Errors, Problem};

/// The longest name, in bytes; the same as `QueueName::MAX_LEN`.
const MAX_LEN: usize = 100;

/// The queue named by `literal`, or reports why it is none; `by_default` is what holds without the option.
pub(crate) fn read(literal: &LitStr, by_default: &str, errors: &Errors) -> Option<String> {
    let name = literal.value();
    let problem = if name.is_empty() {
        let help = format!("write `queue = \"mail\"`, or remove `queue` to use {by_default}");
        Problem::new("a queue needs a name").help(help)
    } else if let Some((at, wrong)) = name.char_indices().find(|(_, c)| !is_allowed(*c)) {
        let problem = Problem::new(format!("invalid queue name: `{}` is not allowed", wrong.escape_debug()));
        let problem = problem.caret(&name, at..at + wrong.len_utf8());
        match suggestion(&name) {
            Some(better) => problem.help(format!("write `\"{better}\"`")),
            None => problem.help("choose another name"),
        }
    } else if name.len() > MAX_LEN {
        Problem::new(format!("a queue's name has at most {MAX_LEN} characters, this has {}", name.len()))
            .help("choose a shorter name")
    } else {
        return Some(name);
    };
    errors.at(literal, problem.note("a queue's name is made of `a-z`, `0-9`, `_` and `-`"));
    None
}

fn is_allowed(c: char) -> bool {
    matches!(c, 'a'..='z' | '0'..='9' | '_' | '-')
}

/// The same in lower case, with `-` for what separates words.
fn suggestion(name: &str) -> Option<String> {
    let separated = |c: char| if matches!(c, ' ' | '.' | ':' | '/') { '-' } else { c };
    let better: String = name.trim().to_lowercase().chars().map(separated).filter(|c| is_allowed(*c)).collect();
    (!better.is_empty() && better.len() <= MAX_LEN).then_some(better)
}

#[cfg(test)]
mod tests {
    use super::suggestion;

    #[test]
    fn a_suggestion_keeps_what_can_be_kept() {
        for (name, better) in [("Mail", "mail"), ("bulk mail", "bulk-mail"), ("a.b!", "a-b"), (" x ", "x")] {
            assert_eq!(suggestion(name).as_deref(), Some(better));
        }
        assert_eq!(suggestion("!?"), None);
    }
}
