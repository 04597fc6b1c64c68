use std::{fmt, ops::Range};

/// Two lines: a text, and marks below a part of it.
#[derive(Clone, Debug)]
pub struct Caret<'a> {
    text: &'a str,
    range: Range<usize>,
}

impl<'a> Caret<'a> {
    pub(crate) const fn new(text: &'a str, range: Range<usize>) -> Self {
        Self { text, range }
    }
}

impl fmt::Display for Caret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An empty part, where something is missing, gets a mark, too.
        let width = |part: Option<&str>| part.map_or(0, |part| shown(part).chars().count());
        let before = width(self.text.get(..self.range.start));
        let marked = width(self.text.get(self.range.clone())).max(1);
        write!(f, "  | {}\n  | {:before$}{:^<marked$}", shown(self.text), "", "^")
    }
}

/// A tab or a line break would displace the marks.
pub(crate) fn shown(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::Caret;

    #[test]
    fn the_marks_stand_below_their_part() {
        assert_eq!(Caret::new("ü\t60 *", 3..5).to_string(), "  | ü\\t60 *\n  |    ^^");
        assert_eq!(Caret::new("1-", 2..2).to_string(), "  | 1-\n  |   ^");
    }
}
