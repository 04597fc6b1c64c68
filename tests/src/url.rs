/// The URL of a database in its parts, so that a test can change one of them.
#[derive(Clone, Debug)]
pub struct Url {
    scheme: String,
    /// User and password, with the `@` behind them.
    login: String,
    place: String,
    database: String,
    query: Vec<String>,
}

impl Url {
    /// Takes a URL apart.
    ///
    /// # Panics
    ///
    /// If it has no `://`.
    pub fn new(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let at = authority.rfind('@').map_or(0, |at| at + 1);
        Self {
            scheme: scheme.to_owned(),
            login: authority[..at].to_owned(),
            place: authority[at..].to_owned(),
            database: database.to_owned(),
            query: query.split('&').filter(|pair| !pair.is_empty()).map(str::to_owned).collect(),
        }
    }

    /// Host and port, or the folder of a socket.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The same at another host and port.
    #[must_use]
    pub fn at(self, place: impl ToString) -> Self {
        Self { place: place.to_string(), ..self }
    }

    /// The same for someone else.
    #[must_use]
    pub fn login(self, user: &str, password: &str) -> Self {
        Self { login: format!("{user}:{password}@"), ..self }
    }

    /// The same for another database.
    #[must_use]
    pub fn database(self, database: &str) -> Self {
        Self { database: database.to_owned(), ..self }
    }

    /// The same with one parameter more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.query.push(format!("{name}={value}"));
        self
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { scheme, login, place, database, query } = self;
        let mark = if query.is_empty() { "" } else { "?" };
        write!(f, "{scheme}://{login}{place}/{database}{mark}{}", query.join("&"))
    }
}
