use std::io::{self, IsTerminal, Write};

use indicatif::MultiProgress;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// Logs warnings and errors to stderr, or what `RUST_LOG` asks for; returns the screen for progress bars, which the
/// log does not tear.
pub(crate) fn init() -> MultiProgress {
    let screen = MultiProgress::new();
    let writer = screen.clone();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).from_env_lossy())
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .with_writer(move || AboveBars(writer.clone()))
        .init();
    screen
}

/// Stderr, with progress bars out of the way while something is written.
struct AboveBars(MultiProgress);

impl Write for AboveBars {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().write(text))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
