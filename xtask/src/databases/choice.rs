use super::{Kind, Url, install};

/// Which server is tested.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The one that the environment names.
    Given(Url),
    /// One that answers where such servers usually do.
    Answering(Url),
    /// One of our own, and why none that answers is used.
    Private(String),
}

/// What there is to choose from.
pub(crate) trait Machine {
    fn given(&self, kind: Kind) -> Option<String>;
    fn answering(&self, kind: Kind) -> Result<Url, String>;
    /// Whether a private server could be started.
    fn installed(&self, kind: Kind) -> Result<String, String>;
    fn install(&self, kind: Kind) -> Result<(), String>;
}

/// Takes the first that can be used. An error names all that was tried.
pub(crate) fn choose(machine: &impl Machine, kind: Kind, private: bool) -> Result<Choice, String> {
    let variable = kind.url_variable();
    if let Some(url) = machine.given(kind) {
        return url.parse().map(Choice::Given).map_err(|error| format!("{variable} is no URL: {error}"));
    }
    let refused = match private {
        true => "`--private`".to_owned(),
        false => match machine.answering(kind) {
            Ok(url) => return Ok(Choice::Answering(url)),
            Err(reason) => reason,
        },
    };
    let Err(missing) = machine.installed(kind) else { return Ok(Choice::Private(refused)) };
    match machine.install(kind).and_then(|()| machine.installed(kind)) {
        Ok(_) => Ok(Choice::Private(refused)),
        Err(not_installed) => {
            let tried = [format!("{variable} is not set"), refused, missing, not_installed].join("\n  - ");
            let advice = install::advice(kind);
            Err(format!(
                "there is no {} to test with:\n  - {tried}\nInstall one ({advice}), or set {variable}",
                kind.product()
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::{Choice, Machine, choose};
    use crate::databases::{Kind, Url};

    #[derive(Default)]
    struct Fake {
        given: Option<&'static str>,
        answering: Option<&'static str>,
        installed: Cell<bool>,
        can_install: bool,
        asked: RefCell<Vec<&'static str>>,
    }

    impl Machine for Fake {
        fn given(&self, _: Kind) -> Option<String> {
            self.given.map(str::to_owned)
        }

        fn answering(&self, _: Kind) -> Result<Url, String> {
            self.asked.borrow_mut().push("answering");
            self.answering.map(|url| url.parse().expect("a URL")).ok_or_else(|| "nobody answers".to_owned())
        }

        fn installed(&self, _: Kind) -> Result<String, String> {
            self.asked.borrow_mut().push("installed");
            if self.installed.get() { Ok("15".to_owned()) } else { Err("no programs".to_owned()) }
        }

        fn install(&self, _: Kind) -> Result<(), String> {
            self.asked.borrow_mut().push("install");
            self.installed.set(self.can_install);
            if self.can_install { Ok(()) } else { Err("not root".to_owned()) }
        }
    }

    fn url(text: &str) -> Url {
        text.parse().expect("a URL")
    }

    #[test]
    fn a_given_server_is_the_only_one_that_is_asked() {
        let machine = Fake { given: Some("mysql://a/b"), answering: Some("mysql://c/d"), ..Fake::default() };
        assert_eq!(choose(&machine, Kind::Mysql, false), Ok(Choice::Given(url("mysql://a/b"))));
        assert!(machine.asked.borrow().is_empty());
        let error = choose(&Fake { given: Some("localhost"), ..Fake::default() }, Kind::Mysql, false);
        assert_eq!(error, Err("JOBS_TEST_MYSQL_URL is no URL: it has no `://`".to_owned()));
    }

    #[test]
    fn a_server_that_answers_comes_before_one_of_our_own() {
        let machine = Fake { answering: Some("mysql://c/d"), installed: Cell::new(true), ..Fake::default() };
        assert_eq!(choose(&machine, Kind::Mysql, false), Ok(Choice::Answering(url("mysql://c/d"))));
        assert_eq!(choose(&machine, Kind::Mysql, true), Ok(Choice::Private("`--private`".to_owned())));
    }

    #[test]
    fn what_is_installed_is_used_before_something_is_installed() {
        let machine = Fake { installed: Cell::new(true), can_install: true, ..Fake::default() };
        assert_eq!(choose(&machine, Kind::Postgres, false), Ok(Choice::Private("nobody answers".to_owned())));
        assert_eq!(*machine.asked.borrow(), ["answering", "installed"]);
        let machine = Fake { can_install: true, ..Fake::default() };
        assert_eq!(choose(&machine, Kind::Postgres, false), Ok(Choice::Private("nobody answers".to_owned())));
        assert_eq!(*machine.asked.borrow(), ["answering", "installed", "install", "installed"]);
    }

    #[test]
    fn who_has_nothing_is_told_all_ways_out() {
        let error = choose(&Fake::default(), Kind::Postgres, false).expect_err("nothing");
        for told in ["is not set", "nobody answers", "no programs", "not root", "apt-get install postgresql"] {
            assert!(error.contains(told), "{told}: {error}");
        }
    }
}
