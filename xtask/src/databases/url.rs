use std::{fmt, str::FromStr};

/// The URL of a database, as sqlx understands it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Url {
    pub(crate) scheme: String,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// A name, an address, or the folder of PostgreSQL's socket.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    pub(crate) database: String,
    /// What follows the question mark, as it was written.
    pub(crate) query: String,
}

impl Url {
    pub(crate) fn with_database(&self, name: &str) -> Self {
        Self { database: name.to_owned(), ..self.clone() }
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let found = self.query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name);
        found.map(|(_, value)| decoded(value))
    }

    /// The server's place, for people.
    pub(crate) fn place(&self) -> String {
        let host = self.parameter("socket").unwrap_or_else(|| self.host.clone());
        match self.port {
            Some(port) if !host.starts_with('/') => format!("{host}:{port}"),
            _ => host,
        }
    }
}

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").ok_or("it has no `://`")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, Some(decoded(password))),
            None => (login, None),
        };
        let (host, port) = match place.rsplit_once(':') {
            // An address of IPv6 stands in brackets, and has colons of its own.
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (place, None),
        };
        let port = port.map(|port| port.parse().map_err(|_| format!("`{port}` is not a port"))).transpose()?;
        Ok(Self {
            scheme: scheme.to_owned(),
            user: (!user.is_empty()).then(|| decoded(user)),
            password,
            host: decoded(host.trim_start_matches('[').trim_end_matches(']')),
            port,
            database: decoded(database),
            query: query.to_owned(),
        })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        if let Some(user) = &self.user {
            let password = self.password.iter().map(|password| format!(":{}", encoded(password))).collect::<String>();
            write!(f, "{}{password}@", encoded(user))?;
        }
        match &self.host {
            address if address.contains(':') => write!(f, "[{address}]")?,
            host => f.write_str(&encoded(host))?,
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "/{}", encoded(&self.database))?;
        if self.query.is_empty() { Ok(()) } else { write!(f, "?{}", self.query) }
    }
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).filter(|_| *first == b'%').and_then(|hex| str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::Url;

    fn url(text: &str) -> Url {
        text.parse().expect(text)
    }

    #[test]
    fn a_url_is_written_as_it_was_read() {
        for text in [
            "postgres://ada:p%40ss%2F@db.example.org:5433/jobs_test?sslmode=require",
            "postgres://root@%2Frun%2Fpostgresql:5432/jobs_test",
            "mysql://root@[::1]:3306/",
            "mysql://localhost/jobs_test?socket=/run/mysqld/mysqld.sock",
        ] {
            assert_eq!(url(text).to_string(), text);
        }
    }

    #[test]
    fn its_parts_are_decoded() {
        let read = url("postgres://ada:p%40ss@%2Frun%2Fpostgresql:5432/jobs");
        assert_eq!((read.user.as_deref(), read.password.as_deref()), (Some("ada"), Some("p@ss")));
        assert_eq!((read.host.as_str(), read.port, read.database.as_str()), ("/run/postgresql", Some(5432), "jobs"));
        assert_eq!(url("mysql://h/d?a=1&socket=%2Ftmp%2Fs").parameter("socket").as_deref(), Some("/tmp/s"));
        assert_eq!(url("mysql://100%@h/%E4%").user.as_deref(), Some("100%"), "what is no escape stays");
    }

    #[test]
    fn a_place_names_no_password() {
        assert_eq!(url("postgres://ada:secret@127.0.0.1:5432/jobs").place(), "127.0.0.1:5432");
        assert_eq!(url("postgres://ada@%2Frun%2Fpostgresql:5432/jobs").place(), "/run/postgresql");
        assert_eq!(url("mysql://ada@localhost/jobs?socket=/tmp/s").place(), "/tmp/s");
    }

    #[test]
    fn what_is_no_url_is_told() {
        assert_eq!("localhost:5432".parse::<Url>(), Err("it has no `://`".to_owned()));
        assert_eq!("mysql://localhost:x/".parse::<Url>(), Err("`x` is not a port".to_owned()));
    }
}
