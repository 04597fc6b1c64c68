use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    thread,
};

use super::{
    place,
    request::{Request, Verb},
    server::Server,
};

/// Keeps private servers for as long as its input is open, and ends them then.
///
/// It is a process of its own, because xtask can't clean up after itself when it is killed. The other end of the
/// input is xtask's: it closes however xtask ends.
pub(crate) fn run() -> Result<(), String> {
    let folder = place::temporary_folder()?;
    let keeper = Arc::new(Keeper { folder, open: RwLock::default(), servers: Mutex::default() });
    let served = keeper.serve();
    if served.is_ok() {
        wait_for_the_end();
    }
    // Held until the process has ended: nobody makes a server that would be left.
    let _closed = keeper.open.write().unwrap_or_else(PoisonError::into_inner);
    keeper.servers().clear();
    fs::remove_dir_all(&keeper.folder).map_err(|error| format!("{}: {error}", keeper.folder.display()))?;
    served
}

struct Keeper {
    folder: PathBuf,
    /// Read while a request is carried out.
    open: RwLock<()>,
    /// The servers by their URLs. A request locks the server it changes, so that others don't wait.
    servers: Mutex<Vec<(String, Arc<Mutex<Server>>)>>,
}

impl Keeper {
    /// Answers requests in the background, and prints where.
    fn serve(self: &Arc<Self>) -> Result<(), String> {
        let socket = self.folder.join("control");
        let listener = UnixListener::bind(&socket).map_err(|error| format!("{}: {error}", socket.display()))?;
        let keeper = self.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let keeper = keeper.clone();
                thread::spawn(move || keeper.answer(&stream));
            }
        });
        writeln!(io::stdout(), "{}", socket.display()).map_err(|error| error.to_string())
    }

    fn answer(&self, mut stream: &UnixStream) {
        let mut line = String::new();
        let read = BufReader::new(stream).read_line(&mut line);
        let answer = match read.map_err(|error| error.to_string()).and_then(|_| self.act(&line)) {
            Ok(text) => format!("ok\n{text}"),
            Err(text) => format!("error\n{text}"),
        };
        // Who asked may be gone.
        let _ = stream.write_all(answer.as_bytes());
    }

    fn act(&self, line: &str) -> Result<String, String> {
        let request = Request::parse(line.split_whitespace())?;
        let _open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        match request {
            Request::Create(kind, behind) => {
                let server = Server::create(kind, &self.folder, behind)?;
                let url = server.url();
                self.servers().push((url.clone(), Arc::new(Mutex::new(server))));
                Ok(url)
            }
            Request::Change(verb, url) => self.change(verb, &url).map(|()| String::new()),
        }
    }

    fn change(&self, verb: Verb, url: &str) -> Result<(), String> {
        let found = self.servers().iter().find(|(known, _)| known == url).map(|(_, server)| server.clone());
        let server = found.ok_or_else(|| format!("no server that was made here has the URL `{url}`"))?;
        let mut server = locked(&server);
        match verb {
            Verb::Start => server.start(),
            Verb::Stop => server.stop(),
            Verb::Kill => server.kill(),
            Verb::Restart => server.stop().and_then(|()| server.start()),
            Verb::Remove => {
                self.servers().retain(|(known, _)| known != url);
                Ok(())
            }
        }
    }

    fn servers(&self) -> MutexGuard<'_, Vec<(String, Arc<Mutex<Server>>)>> {
        locked(&self.servers)
    }
}

/// Also after a request that panicked: what it left is still to be ended.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks the keeper behind this socket.
pub(crate) fn ask(socket: &Path, request: &str) -> Result<String, String> {
    let failed = |error: io::Error| format!("{}: {error}", socket.display());
    let mut stream = UnixStream::connect(socket).map_err(failed)?;
    writeln!(stream, "{request}").map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed)?;
    match answer.split_once('\n') {
        Some(("ok", text)) => Ok(text.to_owned()),
        Some(("error", text)) => Err(text.to_owned()),
        _ => Err(format!("{}: the keeper of the servers has gone", socket.display())),
    }
}

fn wait_for_the_end() {
    let mut input = io::stdin();
    let mut buffer = [0; 64];
    while !matches!(input.read(&mut buffer), Ok(0) | Err(_)) {}
}
