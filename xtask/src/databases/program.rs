use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use super::Kind;

/// Finds an installed program: in `PATH`, or where the packages of servers put theirs.
pub(crate) fn find(kind: Kind, name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(folders(kind));
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// What a program printed, or why there is nothing.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let program = Path::new(command.get_program()).display().to_string();
    let output = command.output().map_err(|error| format!("`{program}` can't be started: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(format!("`{program}`: {}", complaint(&output))),
    }
}

/// The last lines of a text, where programs say why they end.
pub(crate) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

fn complaint(output: &Output) -> String {
    let (stderr, stdout) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    match [stderr, stdout].iter().map(|text| last_lines(text)).find(|text| !text.is_empty()) {
        Some(text) => text,
        None => output.status.to_string(),
    }
}

/// Folders of servers' programs that are often not in `PATH`, the newest version first.
fn folders(kind: Kind) -> Vec<PathBuf> {
    match kind {
        Kind::Postgres => {
            let parents = ["/usr/lib/postgresql", "/usr", "/opt/homebrew/opt", "/usr/local/opt"];
            parents.iter().flat_map(|parent| versions(entries(Path::new(parent)))).collect()
        }
        Kind::Pgbouncer => ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin"].map(PathBuf::from).to_vec(),
        Kind::Mysql => {
            let folders = ["/usr/sbin", "/usr/libexec", "/usr/local/bin", "/usr/local/mysql/bin"];
            let brewed = ["/opt/homebrew/opt", "/usr/local/opt"]
                .into_iter()
                .flat_map(|parent| ["mariadb", "mysql"].map(|name| Path::new(parent).join(name).join("bin")));
            folders.into_iter().map(PathBuf::from).chain(brewed).collect()
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// Of `/usr/lib/postgresql/15`, `/usr/pgsql-15` or `/usr/local/opt/postgresql@15` the folders of programs.
fn versions(folders: Vec<PathBuf>) -> Vec<PathBuf> {
    let version = |folder: &Path| -> Option<u32> {
        let name = folder.file_name()?.to_str()?;
        ["pgsql-", "postgresql@", ""].iter().find_map(|prefix| name.strip_prefix(prefix)?.parse().ok())
    };
    let mut found: Vec<_> = folders.into_iter().filter_map(|folder| Some((version(&folder)?, folder))).collect();
    found.sort();
    found.into_iter().rev().map(|(_, folder)| folder.join("bin")).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{last_lines, versions};

    #[test]
    fn the_newest_version_is_the_first() {
        let folders = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(
            versions(folders(&["/p/9", "/p/15", "/p/bin", "/usr/pgsql-16", "/o/postgresql@14", "/o/libpq"])),
            folders(&["/usr/pgsql-16/bin", "/p/15/bin", "/o/postgresql@14/bin", "/p/9/bin"]),
        );
    }

    #[test]
    fn of_a_long_text_the_end_is_told() {
        let text: String = (0..100).map(|n| format!("line {n}\n")).collect();
        assert!(last_lines(&text).starts_with("line 85\n") && last_lines(&text).ends_with("line 99"));
        assert_eq!(last_lines(" one\n"), "one");
    }
}
