use std::io::{self, IsTerminal};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jobs_runtime::storage::{Monitor, StorageResult};

/// Shows how much of a run has ended: a bar on a terminal, else a line for every tenth of it.
#[derive(Debug)]
pub(crate) struct Progress {
    total: u64,
    /// What of the run had ended before this process, less what the storage had counted by then in all.
    offset: i128,
    display: Display,
}

#[derive(Debug)]
enum Display {
    Bar(ProgressBar),
    Lines { tenths: u64 },
}

impl Progress {
    /// Of a run with `total` jobs, `ended` of which have ended.
    pub(crate) async fn new(
        total: u64,
        ended: u64,
        monitor: &dyn Monitor,
        screen: &MultiProgress,
    ) -> StorageResult<Self> {
        let offset = i128::from(ended) - i128::from(counted(monitor).await?);
        let display = if io::stderr().is_terminal() {
            Display::Bar(screen.add(bar(total).with_position(ended)))
        } else {
            Display::Lines { tenths: ended * 10 / total }
        };
        Ok(Self { total, offset, display })
    }

    /// Looks, and shows what is new.
    pub(crate) async fn update(&mut self, monitor: &dyn Monitor) -> StorageResult<()> {
        let ended = i128::from(counted(monitor).await?) + self.offset;
        self.show(u64::try_from(ended).unwrap_or_default().min(self.total));
        Ok(())
    }

    fn show(&mut self, ended: u64) {
        match &mut self.display {
            Display::Bar(bar) => bar.set_position(ended),
            Display::Lines { tenths } if ended * 10 / self.total > *tenths => {
                *tenths = ended * 10 / self.total;
                println!("{:3} %  {ended} of {} jobs", *tenths * 10, self.total);
            }
            Display::Lines { .. } => {}
        }
    }

    /// Takes the bar away, so that what follows is not mixed with it.
    pub(crate) fn close(self) {
        if let Display::Bar(bar) = self.display {
            bar.finish_and_clear();
        }
    }
}

/// How many jobs have ended since the storage was made: a counter, so that looking often costs nothing.
async fn counted(monitor: &dyn Monitor) -> StorageResult<u64> {
    let totals = monitor.totals().await?;
    Ok(totals.succeeded + totals.failed + totals.deleted)
}

fn bar(total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} jobs, {elapsed}");
    ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
