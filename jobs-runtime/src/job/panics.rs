//! Panics of handlers: caught, with their message, place and backtrace.

use std::{
    any::Any,
    backtrace::Backtrace,
    cell::{Cell, RefCell},
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::Once,
    task::{Context, Poll},
};

use tokio_util::task::AbortOnDropHandle;

use super::JobError;

thread_local! {
    static IN_HANDLER: Cell<bool> = const { Cell::new(false) };
    static TRACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Adds to the program's panic hook: in a handler, it notes where the panic came from.
pub(crate) fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if IN_HANDLER.get() {
                let place = info.location().map_or_else(String::new, |location| format!("at {location}\n"));
                TRACE.set(Some(format!("{place}{}", Backtrace::force_capture())));
            }
            previous(info);
        }));
    });
}

/// A panic that was caught on one thread, on its way to the one that waits for it.
struct Caught {
    message: String,
    trace: Option<String>,
}

impl Caught {
    fn from(payload: Box<dyn Any + Send>) -> Self {
        let payload = match payload.downcast::<Self>() {
            Ok(caught) => return *caught,
            Err(payload) => payload,
        };
        Self { message: panic_message(payload), trace: TRACE.take() }
    }
}

/// What a panic says.
pub(crate) fn panic_message(payload: Box<dyn Any + Send>) -> String {
    payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panicked with a value that is no text".to_owned())
}

fn catch<T>(code: impl FnOnce() -> T) -> Result<T, Caught> {
    let outer = IN_HANDLER.replace(true);
    // A panic that the handler caught itself may have left one.
    TRACE.take();
    let result = catch_unwind(AssertUnwindSafe(code));
    IN_HANDLER.set(outer);
    result.map_err(Caught::from)
}

/// Runs `code` on the pool of threads that may block; a panic in it goes on in the caller. If the caller is dropped
/// before a thread is free, it is not run; once it runs, nothing can stop it.
pub(crate) async fn blocking<T: Send + 'static>(code: impl FnOnce() -> T + Send + 'static) -> T {
    match AbortOnDropHandle::new(tokio::task::spawn_blocking(move || catch(code))).await {
        Ok(Ok(value)) => value,
        Ok(Err(caught)) => resume_unwind(Box::new(caught)),
        Err(error) => resume_unwind(Box::new(format!("the blocking task did not run to its end: {error}"))),
    }
}

/// A future whose panics are errors.
pub(crate) struct CatchPanic<F>(pub(crate) Pin<Box<F>>)
where
    F: ?Sized;

impl<T, F> Future for CatchPanic<F>
where
    F: Future<Output = Result<T, JobError>> + ?Sized,
{
    type Output = Result<T, JobError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        catch(|| self.0.as_mut().poll(cx))
            .unwrap_or_else(|caught| Poll::Ready(Err(JobError::panic(caught.message, caught.trace))))
    }
}
