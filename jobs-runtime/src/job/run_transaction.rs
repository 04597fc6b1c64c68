use std::{
    any::Any,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Where the transaction of a run lies while its handler doesn't use it, whatever a transaction is: the handler begins it
/// and writes in it, the server ends it.
#[derive(Debug, Default)]
pub(crate) struct RunTransaction(Mutex<Place>);

#[derive(Debug, Default)]
#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres", feature = "mysql")),
    expect(dead_code, reason = "without a database there are no transactions")
)]
enum Place {
    /// None was begun.
    #[default]
    Nowhere,
    /// The handler has it, or is about to begin it.
    Handler,
    /// The handler has begun it, and has given it back.
    Here(Box<dyn Any + Send>),
    /// The run has ended, and its transaction with it.
    Ended,
}

/// What a handler leaves when its run ends.
#[derive(Debug)]
pub(crate) enum Left {
    /// No transaction was begun.
    Nothing,
    /// One that is to be committed or rolled back.
    Open(Box<dyn Any + Send>),
    /// The handler has kept it: in a task of its own, say.
    Kept,
}

/// Why a handler can't have the transaction of its run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub(crate) enum NotTaken {
    #[error("the run of this job has another `JobTx` that has begun the transaction; drop it first, or use it here")]
    InUse,
    #[error("the run of this job has ended, and its transaction with it; keep a `JobTx` within the handler")]
    Ended,
}

impl RunTransaction {
    /// Lets the handler have the transaction: the one that was begun before, or none, and then it begins one. It must be
    /// [put back](Self::put_back), whatever happens.
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
    pub(crate) fn take(&self) -> Result<Option<Box<dyn Any + Send>>, NotTaken> {
        let mut place = self.place();
        match mem::replace(&mut *place, Place::Handler) {
            Place::Nowhere => Ok(None),
            Place::Here(transaction) => Ok(Some(transaction)),
            Place::Handler => Err(NotTaken::InUse),
            Place::Ended => {
                *place = Place::Ended;
                Err(NotTaken::Ended)
            }
        }
    }

    /// Takes the transaction back from the handler; none if it could not be begun. It is dropped, and so rolled back, if
    /// the run has ended.
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
    pub(crate) fn put_back(&self, transaction: Option<Box<dyn Any + Send>>) {
        let mut place = self.place();
        if !matches!(*place, Place::Ended) {
            *place = transaction.map_or(Place::Nowhere, Place::Here);
        } else {
            drop(place);
            drop(transaction);
        }
    }

    /// Ends the run: from now on the handler can't have a transaction.
    pub(crate) fn end(&self) -> Left {
        match mem::replace(&mut *self.place(), Place::Ended) {
            Place::Nowhere | Place::Ended => Left::Nothing,
            Place::Here(transaction) => Left::Open(transaction),
            Place::Handler => Left::Kept,
        }
    }

    /// Drops the transaction, if the handler has one and is done with it, so that it is rolled back. The next call of the
    /// handler begins another one.
    pub(crate) fn take_back(&self) {
        let mut place = self.place();
        if matches!(*place, Place::Here(_)) {
            let transaction = mem::take(&mut *place);
            drop(place);
            drop(transaction);
        }
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
mod tests {
    use std::{any::Any, sync::Arc};

    use super::{Left, NotTaken, RunTransaction};

    fn transaction() -> Box<dyn Any + Send> {
        Box::new(7)
    }

    #[test]
    fn what_was_begun_is_found_at_the_end() {
        let run = RunTransaction::default();
        assert!(run.take().expect("free").is_none());
        assert_eq!(run.take().expect_err("in use"), NotTaken::InUse);
        run.put_back(Some(transaction()));
        let again = run.take().expect("free").expect("begun");
        run.put_back(Some(again));
        assert!(matches!(run.end(), Left::Open(transaction) if transaction.is::<i32>()));
        assert_eq!(run.take().expect_err("ended"), NotTaken::Ended);
    }

    #[test]
    fn what_could_not_be_begun_is_nothing() {
        let run = RunTransaction::default();
        assert!(run.take().expect("free").is_none());
        run.put_back(None);
        assert!(matches!(run.end(), Left::Nothing));
    }

    #[test]
    fn what_comes_back_after_the_end_is_dropped() {
        let (run, alive) = (RunTransaction::default(), Arc::new(()));
        assert!(run.take().expect("free").is_none());
        assert!(matches!(run.end(), Left::Kept));
        run.put_back(Some(Box::new(Arc::clone(&alive))));
        assert_eq!(Arc::strong_count(&alive), 1);
        assert!(matches!(run.end(), Left::Nothing));
    }
}
