use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use super::{
    engine::{self, Engine},
    place::Place,
    watch::Watch,
};
use crate::databases::{Kind, Url, program};

/// Recovery of a killed server on a busy machine takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(10);

/// A server of our own, which is gone when it is dropped.
pub(super) struct Server {
    engine: Box<dyn Engine>,
    place: Place,
    process: Option<Process>,
}

/// A server's process, from its start until its end was seen.
struct Process {
    child: Child,
    _watch: Watch,
}

impl Server {
    /// A new one with an empty database, which runs.
    pub(super) fn create(kind: Kind, parent: &Path, behind: Option<Url>) -> Result<Self, String> {
        let engine = engine::installed(kind)?;
        let place = Place::new(parent, kind, behind)?;
        let mut server = Self { engine, place, process: None };
        server.engine.initialize(&server.place)?;
        server.start()?;
        Ok(server)
    }

    pub(super) fn url(&self) -> String {
        self.engine.url(&self.place).to_string()
    }

    /// Returns when clients are let in.
    pub(super) fn start(&mut self) -> Result<(), String> {
        if self.process.is_some() {
            return Err("the server runs already".to_owned());
        }
        let process = self.spawn().map_err(|error| format!("the server can't be started: {error}"))?;
        let id = process.child.id();
        self.process = Some(process);
        let began = Instant::now();
        while !self.engine.is_ready(&self.place, id) {
            if let Some(status) = self.ended()? {
                return Err(format!("the server ended with {status}:\n{}", self.log()));
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("the server is not ready after {PATIENCE:?}:\n{}", self.log()));
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Returns when the server has ended in order.
    pub(super) fn stop(&mut self) -> Result<(), String> {
        self.end(self.engine.stop_signal())
    }

    /// Returns when the server has ended without any order.
    pub(super) fn kill(&mut self) -> Result<(), String> {
        self.end(self.engine.kill_signal())
    }

    fn spawn(&self) -> io::Result<Process> {
        let log = File::options().create(true).append(true).open(self.place.file("log"))?;
        let mut child = self.engine.server(&self.place).stdout(log.try_clone()?).stderr(log).spawn()?;
        match Watch::new(child.id(), self.engine.kill_signal(), self.place.parent()) {
            Ok(watch) => Ok(Process { child, _watch: watch }),
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(error)
            }
        }
    }

    fn end(&mut self, signal: &str) -> Result<(), String> {
        let Some(process) = &self.process else { return Err("the server doesn't run".to_owned()) };
        // Every shell has `kill`, but not every system has a program of that name. The process is a child that was
        // not waited for, so the id is still its own.
        program::output(Command::new("sh").args(["-c", &format!("kill -s {signal} {}", process.child.id())]))?;
        let began = Instant::now();
        while self.ended()?.is_none() {
            if began.elapsed() > PATIENCE {
                return Err(format!("the server still runs {PATIENCE:?} after SIG{signal}:\n{}", self.log()));
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>, String> {
        let Some(process) = &mut self.process else { return Ok(None) };
        let status = process.child.try_wait().map_err(|error| error.to_string())?;
        if status.is_some() {
            self.process = None;
        }
        Ok(status)
    }

    fn log(&self) -> String {
        program::last_lines(&fs::read_to_string(self.place.file("log")).unwrap_or_default())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.is_some()
            && let Err(error) = self.kill()
        {
            complain(&format!("a private server could not be ended: {error}"));
        }
        if let Err(error) = fs::remove_dir_all(&self.place.folder) {
            complain(&format!("{}: {error}", self.place.folder.display()));
        }
    }
}

/// Goes on when nobody reads it any more, as after Ctrl-C.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}
