use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// A path as an argument of a job: a text if it is one, else its bytes, because arguments are JSON and the names
/// of files need not be UTF-8.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum StoredPath {
    Text(String),
    Raw(OsString),
}

impl StoredPath {
    pub(crate) fn as_path(&self) -> &Path {
        match self {
            Self::Text(text) => Path::new(text),
            Self::Raw(raw) => Path::new(raw),
        }
    }
}

impl From<PathBuf> for StoredPath {
    fn from(path: PathBuf) -> Self {
        path.into_os_string().into_string().map_or_else(Self::Raw, Self::Text)
    }
}

impl fmt::Display for StoredPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_path().display().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::StoredPath;

    #[test]
    fn a_text_is_stored_as_one() {
        let path = StoredPath::from(PathBuf::from("/tmp/ä.txt"));
        assert_eq!(serde_json::to_string(&path).expect("JSON"), r#""/tmp/ä.txt""#);
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_text_reads_back_as_it_was() {
        use std::os::unix::ffi::OsStringExt;

        let path = StoredPath::from(PathBuf::from(std::ffi::OsString::from_vec(b"/tmp/\xff.txt".to_vec())));
        let json = serde_json::to_string(&path).expect("JSON");
        assert_eq!(serde_json::from_str::<StoredPath>(&json).expect("a path"), path);
    }
}
