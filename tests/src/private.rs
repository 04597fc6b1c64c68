use std::process::Command;

use crate::{Engine, Place, Url};

/// A database server that the test may stop, kill and restart. It is removed with the value.
pub struct PrivateServer {
    /// What it is.
    pub engine: Engine,
    /// An empty database on it.
    pub url: Url,
    control: String,
}

impl PrivateServer {
    /// Starts a new one.
    ///
    /// # Panics
    ///
    /// If there is nothing to start it with; see `docs/testing.md`.
    pub async fn create(engine: Engine) -> Self {
        let variable = match engine {
            Engine::MySql => "JOBS_TEST_MYSQL_CONTROL",
            Engine::Postgres => "JOBS_TEST_POSTGRES_CONTROL",
        };
        let control = std::env::var(variable)
            .unwrap_or_else(|_| panic!("{variable} is not set: run the tests with `cargo xtask test`, which sets it"));
        let url = asked(&format!("{control} create")).await;
        Self { engine, url: Url::new(&url), control }
    }

    /// Ends it in order, without waiting for its clients.
    pub async fn stop(&self) {
        self.ask("stop").await;
    }

    /// Ends it at once.
    pub async fn kill(&self) {
        self.ask("kill").await;
    }

    /// Starts it with its data, and returns when clients are let in.
    pub async fn start(&self) {
        self.ask("start").await;
    }

    /// Stops and starts it.
    pub async fn restart(&self) {
        self.ask("restart").await;
    }

    /// Its database, as a place of tests.
    pub fn place(&self) -> Place {
        let (engine, url) = (self.engine, self.url.clone());
        match engine {
            Engine::MySql => {
                Place { engine, name: "jobs_test".to_owned(), database: url.clone(), url, _keep: Box::new(()) }
            }
            Engine::Postgres => {
                let name = "jobs".to_owned();
                let with_name = url.clone().with("application_name", &name);
                Place { engine, name, database: url, url: with_name, _keep: Box::new(()) }
            }
        }
    }

    async fn ask(&self, what: &str) {
        asked(&format!("{} {what} '{}'", self.control, self.url)).await;
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        // Should it fail, the server ends with the run.
        let remove = format!("{} remove '{}'", self.control, self.url);
        let _ = Command::new("sh").args(["-c", &remove]).output();
    }
}

async fn asked(line: &str) -> String {
    let output = tokio::process::Command::new("sh").args(["-c", line]).output().await.expect("a shell");
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim_end().to_owned()
}
