use std::{
    io::{self, Write},
    sync::{Mutex, MutexGuard, Once, PoisonError},
};

/// What the threads of this process logged.
static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Keeps from now on what is logged as a warning or an error, on all threads: a server's own are not the test's.
pub fn keep_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let lines = tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing::Level::WARN);
        lines.with_writer(|| Lines).init();
    });
}

/// The lines that have all these parts. Tests that run in one process share the log: one part should be a name that
/// nothing else has.
pub fn logged(parts: &[&str]) -> Vec<String> {
    let text = String::from_utf8_lossy(&lines()).into_owned();
    text.lines().filter(|line| parts.iter().all(|part| line.contains(part))).map(str::to_owned).collect()
}

struct Lines;

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        lines().write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn lines() -> MutexGuard<'static, Vec<u8>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}
