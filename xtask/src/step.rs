use std::{
    fmt,
    process::ExitCode,
    time::{Duration, Instant},
};

use crate::cargo;

/// One call of cargo.
#[derive(Debug)]
pub(crate) struct Step {
    title: &'static str,
    arguments: Vec<String>,
    variables: Vec<(&'static str, &'static str)>,
}

impl Step {
    /// `arguments` are parted by blanks.
    pub(crate) fn new(title: &'static str, arguments: &str) -> Self {
        let arguments = arguments.split_whitespace().map(str::to_owned).collect();
        Self { title, arguments, variables: Vec::new() }
    }

    pub(crate) fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }

    /// Adds one argument, which may contain blanks.
    pub(crate) fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Whether it succeeded.
    fn run(&self, variables: &[(String, String)]) -> bool {
        let mut command = cargo::command();
        command.args(&self.arguments).envs(self.variables.iter().copied());
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        match command.status() {
            Ok(status) => status.success(),
            Err(error) => {
                eprintln!("error: `{self}` can't be started: {error}");
                false
            }
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.variables {
            write!(f, "{name}={value:?} ")?;
        }
        write!(f, "cargo {}", self.arguments.join(" "))
    }
}

/// Runs all steps, also after one that failed, so that one call shows all that is wrong. The variables are for all of
/// them, and are not shown: there may be passwords among them.
pub(crate) fn run_all(task: &str, steps: &[Step], variables: &[(String, String)]) -> ExitCode {
    let began = Instant::now();
    let failed: Vec<&str> = steps.iter().filter(|step| !timed(step, variables)).map(|step| step.title).collect();
    let took = seconds(began.elapsed());
    if failed.is_empty() {
        println!("\nxtask {task}: ok, {} in {took}", titles(steps));
        return ExitCode::SUCCESS;
    }
    println!("\nxtask {task}: FAILED in {} after {took}", failed.join(", "));
    ExitCode::FAILURE
}

fn timed(step: &Step, variables: &[(String, String)]) -> bool {
    println!("\n── {}: {step}", step.title);
    let began = Instant::now();
    let succeeded = step.run(variables);
    let outcome = if succeeded { "ok" } else { "FAILED" };
    println!("── {}: {outcome} after {}", step.title, seconds(began.elapsed()));
    succeeded
}

fn titles(steps: &[Step]) -> String {
    steps.iter().map(|step| step.title).collect::<Vec<_>>().join(", ")
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
