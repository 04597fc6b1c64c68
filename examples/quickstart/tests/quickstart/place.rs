use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::Arc,
    time::Duration,
};

use jobs_runtime::{
    job::JobName,
    state::StateName,
    storage::{JobDetails, JobFilter, JobSummary, PageRequest, Storage, sqlite::SqliteOptions},
};

/// The name of the jobs that read files.
pub(crate) const READ_FILE: JobName = JobName::new("quickstart", "read_file");

/// A temporary folder with a folder of files to read and a database.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a temporary folder"));
        std::fs::create_dir(place.folder()).expect("a new folder");
        place
    }

    /// With so many small files.
    pub(crate) fn with_files(count: usize) -> Self {
        let place = Self::new();
        for number in 0..count {
            place.write(format!("{number:05}.txt"), format!("file {number}\n"));
        }
        place
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.root().join("files")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.root().join("test.db")
    }

    pub(crate) fn write(&self, name: impl AsRef<Path>, contents: impl AsRef<[u8]>) {
        let file = self.folder().join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, contents).expect("a file");
    }

    /// The program on this place's folder and database, with these arguments besides.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(&self.folder(), &self.database());
        command.args(arguments);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.command(arguments))
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.command(arguments);
        Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts"))
    }

    pub(crate) async fn storage(&self) -> Arc<dyn Storage> {
        SqliteOptions::new(self.database()).open().await.expect("the program's database")
    }

    /// Waits until so many jobs are in `state`.
    pub(crate) async fn wait_for(&self, least: usize, state: StateName) {
        let storage = self.storage().await;
        while list(&*storage, JobFilter::state(state)).await.len() < least {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        storage.close().await;
    }
}

pub(crate) fn program(folder: &Path, database: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quickstart"));
    command.arg(folder).arg("--database").arg(database).env_remove("RUST_LOG");
    command
}

/// All jobs that match.
pub(crate) async fn list(storage: &dyn Storage, filter: JobFilter) -> Vec<JobSummary> {
    let (mut jobs, mut page) = (Vec::new(), PageRequest::first(PageRequest::MAX_LIMIT));
    loop {
        let found = storage.jobs(&filter, &page).await.expect("a page");
        jobs.extend(found.jobs);
        let Some(next) = found.next else { return jobs };
        page = PageRequest::after(PageRequest::MAX_LIMIT, next);
    }
}

/// The same with all that is known of each.
pub(crate) async fn details(storage: &dyn Storage, filter: JobFilter) -> Vec<JobDetails> {
    let mut details = Vec::new();
    for job in list(storage, filter).await {
        details.push(storage.job(job.id).await.expect("the job").expect("it is there"));
    }
    details
}

/// What a run of the program left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::from(command.output().expect("the program starts"))
    }

    /// Checks that it ended well, and returns its last line.
    pub(crate) fn done(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.stdout.lines().last().unwrap_or_default()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

/// The program while it runs; killed if the test ends before it.
pub(crate) struct Running(Child);

impl Running {
    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.0.kill().expect("it still runs");
        self.0.wait().expect("it is dead");
    }

    /// Ctrl-C.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        let sent = Command::new("kill").arg("-INT").arg(self.0.id().to_string()).status();
        assert!(sent.expect("`kill` starts").success());
    }

    /// Waits for its end.
    #[cfg(unix)]
    pub(crate) fn wait(mut self) -> Ran {
        use std::io::Read;

        let (mut stdout, mut pipe) = (String::new(), self.0.stdout.take().expect("a pipe"));
        pipe.read_to_string(&mut stdout).expect("text");
        let status = self.0.wait().expect("it ends");
        Ran { code: status.code(), stdout, stderr: String::new() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has usually ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
