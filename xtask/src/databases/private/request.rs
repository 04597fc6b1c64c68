use crate::databases::{Kind, Url};

/// What the keeper of private servers is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// A new server, which runs; the answer is its URL. A pooler needs that of the server behind it.
    Create(Kind, Option<Url>),
    /// Something done to the server of a URL.
    Change(Verb, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Start,
    Stop,
    Kill,
    Restart,
    Remove,
}

impl Verb {
    const ALL: [(&'static str, Self); 5] = [
        ("start", Self::Start),
        ("stop", Self::Stop),
        ("kill", Self::Kill),
        ("restart", Self::Restart),
        ("remove", Self::Remove),
    ];
}

impl Request {
    pub(super) fn parse<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let kind = words.next().and_then(Kind::named).ok_or("which storage?")?;
        let request = match words.next() {
            Some("create") if kind == Kind::Pgbouncer => {
                Self::Create(kind, Some(words.next().ok_or("before which server?")?.parse()?))
            }
            Some("create") => Self::Create(kind, None),
            verb => {
                let found = Verb::ALL.into_iter().find(|(name, _)| Some(*name) == verb);
                let (name, verb) =
                    found.ok_or("`create`, or `start`, `stop`, `kill`, `restart` or `remove` and a URL")?;
                Self::Change(verb, words.next().ok_or_else(|| format!("`{name}` needs a URL"))?.to_owned())
            }
        };
        words.next().map_or(Ok(request), |word| Err(format!("what does `{word}` mean?")))
    }
}

#[cfg(test)]
mod tests {
    use super::{Request, Verb};
    use crate::databases::Kind;

    fn parse(text: &str) -> Result<Request, String> {
        Request::parse(text.split_whitespace())
    }

    #[test]
    fn requests_are_words() {
        assert_eq!(parse("mysql create"), Ok(Request::Create(Kind::Mysql, None)));
        let behind = "postgres://h/d".parse().expect("a URL");
        assert_eq!(parse("pgbouncer create postgres://h/d"), Ok(Request::Create(Kind::Pgbouncer, Some(behind))));
        assert_eq!(parse("postgres kill x://y"), Ok(Request::Change(Verb::Kill, "x://y".to_owned())));
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for (text, told) in [
            ("oracle create", "which storage?"),
            ("mysql", "`create`, or"),
            ("mysql burn x://y", "`create`, or"),
            ("mysql stop", "`stop` needs a URL"),
            ("mysql create now", "`now`"),
            ("pgbouncer create", "before which server?"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
