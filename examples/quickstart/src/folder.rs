use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use anyhow::bail;
use walkdir::{DirEntry, WalkDir};

/// A folder that is there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// # Errors
    ///
    /// If there is no such folder. The path becomes absolute, because the jobs that are made of it may be run by a
    /// process that was started elsewhere.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        match path.canonicalize() {
            Ok(absolute) if absolute.is_dir() => Ok(Self(absolute)),
            Ok(_) => bail!("`{}` is not a folder", path.display()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => bail!("there is no folder `{}`", path.display()),
            Err(error) => bail!("can't open folder `{}`: {error}", path.display()),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// All files below the folder, in order of their names, without those that are left out (see `--help`).
    ///
    /// This blocks; what can't be looked into is warned of and left out.
    pub(crate) fn files(&self, database: &Path) -> io::Result<Vec<PathBuf>> {
        let database = database.canonicalize()?;
        let entries = WalkDir::new(&self.0).sort_by_file_name().into_iter().filter_entry(wanted_folder);
        let files = entries.filter_map(readable).filter(|entry| entry.file_type().is_file());
        Ok(files.filter(|entry| !is_database(entry, &database)).map(DirEntry::into_path).collect())
    }
}

/// Files pass; of folders all but hidden ones and `target`, unless it is the one that was asked for.
fn wanted_folder(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    let unwanted = name == "target" || name.as_encoded_bytes().starts_with(b".");
    entry.depth() == 0 || !entry.file_type().is_dir() || !unwanted
}

fn readable(entry: walkdir::Result<DirEntry>) -> Option<DirEntry> {
    entry.inspect_err(|error| tracing::warn!(%error, "left out what can't be read")).ok()
}

/// SQLite keeps a database in up to four files.
fn is_database(entry: &DirEntry, database: &Path) -> bool {
    let same = |suffix: &str| {
        let mut file = OsString::from(database);
        file.push(suffix);
        entry.path() == file
    };
    let name = entry.file_name().as_encoded_bytes();
    ["", "-wal", "-shm", "-journal"]
        .iter()
        .any(|suffix| same(suffix) || name.ends_with(format!(".db{suffix}").as_bytes()))
}
