//! A filter that writes down what it is asked, and does what it is told.

use std::sync::{Arc, Mutex};

use jobs_runtime::{
    filter::{Application, Created, Creating, Filter, FilterResult, Performed, Performing},
    state::State,
};

/// What all filters of a test have written, in their order.
#[derive(Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<Vec<String>>>);

impl Trace {
    pub(crate) fn write(&self, line: impl Into<String>) {
        self.0.lock().expect("a trace").push(line.into());
    }

    /// Takes all lines.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("a trace"))
    }

    /// Takes all lines when there are so many.
    pub(crate) async fn take_when(&self, lines: usize) -> Vec<String> {
        while self.0.lock().expect("a trace").len() < lines {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        self.take()
    }

    /// A filter that writes here under this name.
    pub(crate) fn filter(&self, name: &'static str) -> Traced {
        Traced { name, trace: self.clone(), order: -1, cancels: false, fails: "", panics: false, handles: false }
    }
}

pub(crate) struct Traced {
    name: &'static str,
    trace: Trace,
    order: i32,
    cancels: bool,
    fails: &'static str,
    panics: bool,
    handles: bool,
}

impl Traced {
    pub(crate) fn order(self, order: i32) -> Self {
        Self { order, ..self }
    }

    /// Cancels in each hook in which it can.
    pub(crate) fn cancels(self) -> Self {
        Self { cancels: true, ..self }
    }

    /// Fails in this hook.
    pub(crate) fn fails(self, hook: &'static str) -> Self {
        Self { fails: hook, ..self }
    }

    /// Panics where it would fail.
    pub(crate) fn panics(self) -> Self {
        Self { panics: true, ..self }
    }

    /// Handles the errors of runs.
    pub(crate) fn handles(self) -> Self {
        Self { handles: true, ..self }
    }

    fn enter(&self, hook: &'static str, what: &str) -> FilterResult {
        let space = if what.is_empty() { "" } else { " " };
        self.trace.write(format!("{} {hook}{space}{what}", self.name));
        if self.fails != hook {
            return Ok(());
        }
        assert!(!self.panics, "{} panics", self.name);
        Err(format!("{} is out of order", self.name).into())
    }
}

#[async_trait::async_trait]
impl Filter for Traced {
    fn name(&self) -> &'static str {
        self.name
    }

    fn order(&self) -> i32 {
        self.order
    }

    async fn creating(&self, creating: &mut Creating) -> FilterResult {
        if self.cancels {
            creating.cancel();
        }
        self.enter("creating", "")
    }

    async fn created(&self, created: &mut Created<'_>) -> FilterResult {
        let what = match (created.is_canceled(), created.error()) {
            (true, _) => "canceled".to_owned(),
            (false, Some(error)) => error.to_string(),
            (false, None) => String::new(),
        };
        self.enter("created", &what)
    }

    async fn performing(&self, performing: &mut Performing) -> FilterResult {
        if self.cancels {
            performing.cancel();
        }
        self.enter("performing", "")
    }

    async fn performed(&self, performed: &mut Performed<'_>) -> FilterResult {
        let what = match performed.output() {
            Ok(result) => result.to_string(),
            Err(error) => error.to_string(),
        };
        if self.handles {
            performed.handle_error();
        }
        self.enter("performed", &what)
    }

    fn unapplied(&self, application: &mut Application<'_>) -> FilterResult {
        self.enter("leaves", application.from().as_str())
    }

    fn applied(&self, application: &mut Application<'_>) -> FilterResult {
        let state: &State = application.state();
        self.enter("enters", state.name().as_str())
    }
}
