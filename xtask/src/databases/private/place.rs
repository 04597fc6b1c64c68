use std::{
    fs::{self, DirBuilder, File},
    io::Read,
    net::TcpListener,
    os::unix::fs::{DirBuilderExt, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::databases::{Account, Kind, Url, account};

/// What belongs to one private server: a folder, a port, a secret, and the user it runs as.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    pub(super) port: u16,
    /// What a login needs to know. Whoever else is on this machine must not get in: the server's superuser can run
    /// programs as the user that the server runs as.
    pub(super) secret: String,
    /// The server before which this one stands, if it is a pooler.
    pub(super) behind: Option<Url>,
    account: Option<Account>,
}

impl Place {
    pub(super) fn new(parent: &Path, kind: Kind, behind: Option<Url>) -> Result<Self, String> {
        let port = free_port()?;
        let folder = parent.join(format!("{}-{port}", kind.name()));
        let place = Self { folder, port, secret: secret()?, behind, account: Account::of_server(kind)? };
        new_folder(&place.folder, 0o700)?;
        place.hand_over(&place.folder)?;
        Ok(place)
    }

    /// A program that runs as the server's user, in the server's folder.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env("LC_ALL", "C").stdin(Stdio::null());
        if let Some(account) = self.account {
            account.run(&mut command);
        }
        command
    }

    /// A file that the server's user can read.
    pub(super) fn write(&self, name: &str, content: &str) -> Result<PathBuf, String> {
        let file = self.file(name);
        fs::write(&file, content).map_err(|error| format!("{}: {error}", file.display()))?;
        self.hand_over(&file)?;
        Ok(file)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The folder of all servers.
    pub(super) fn parent(&self) -> &Path {
        self.folder.parent().unwrap_or(&self.folder)
    }

    fn hand_over(&self, file: &Path) -> Result<(), String> {
        let Some(account) = self.account else { return Ok(()) };
        let given = chown(file, Some(account.user), Some(account.group));
        given.map_err(|error| format!("{}: {error}", file.display()))
    }
}

/// A folder for all servers. Others may pass through it, to a folder of theirs.
pub(super) fn temporary_folder() -> Result<PathBuf, String> {
    // Servers run as another user then, who can't read all folders that `TMPDIR` may name.
    let parent = if account::is_root() { PathBuf::from("/tmp") } else { std::env::temp_dir() };
    let folder = parent.join(format!("jobs-test-{}", &secret()?[..8]));
    new_folder(&folder, 0o711)?;
    Ok(folder)
}

fn new_folder(folder: &Path, mode: u32) -> Result<(), String> {
    DirBuilder::new().mode(mode).create(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

/// Outside of the range from which systems take the ports of outgoing connections: the server shall find its port
/// free when it is started again.
fn free_port() -> Result<u16, String> {
    for _ in 0..100 {
        let [high, low] = random()?;
        let port = 20_000 + u16::from_be_bytes([high, low]) % 10_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err("no free port between 20000 and 30000 was found".to_owned())
}

fn secret() -> Result<String, String> {
    Ok(random::<10>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.map(|()| bytes).map_err(|error| format!("/dev/urandom: {error}"))
}
