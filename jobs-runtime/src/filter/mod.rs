//! Code that stands round all jobs, or round some: when they are created, performed, and moved from state to state.
//!
//! A [`Filter`] has up to six hooks, those of Hangfire's job filters. It is given to a
//! [client](crate::Client::with_filter) or a [server](crate::server::JobServerBuilder::filter) for all jobs, or stands
//! beside a job as `#[job(filters(…))]`, or beside several as `#[jobs(filters(…))]`:
//!
//! ```
//! use jobs_runtime::{
//!     filter::{Creating, Filter, FilterResult, Performed},
//!     prelude::*,
//! };
//!
//! /// Notes who asked for a job, and tells it whose job failed.
//! struct Audit;
//!
//! #[jobs_runtime::async_trait]
//! impl Filter for Audit {
//!     async fn creating(&self, creating: &mut Creating) -> FilterResult {
//!         creating.job_mut().parameters.set("asked_by", "ada")?;
//!         Ok(())
//!     }
//!
//!     async fn performed(&self, performed: &mut Performed<'_>) -> FilterResult {
//!         let asked_by: Option<String> = performed.context().parameter("asked_by")?;
//!         if let Some(error) = performed.error() {
//!             println!("the job of {asked_by:?} failed: {error}");
//!         }
//!         Ok(())
//!     }
//! }
//!
//! #[job(filters(Audit))]
//! async fn greet(name: String) {}
//! ```
//!
//! # Nesting
//!
//! Filters are asked by their [order](Filter::order), lower numbers first; of one order, those for all jobs come first, then
//! those of an `impl` block, then those of a job. Hooks *before* something go in that order, hooks *after* it the
//! other way round, so that each filter stands round those that come later, as if they called each other.
//!
//! - A filter that cancels, or fails, in a hook before keeps the later ones and the job itself from being asked at all; its
//!   own hook after is not asked either. Those before it are, and see what happened.
//! - A filter may handle an error in its hook after; then those before it see none.
//! - A filter that fails while a job is performed, or while its next state is elected, makes the job fail.
//!
//! # What goes through filters
//!
//! Creating jobs, one by one or many at once, also by schedules; runs; and the moves of jobs that follow from a run, or
//! from a client: a success, a failure, its retry, deleting, requeueing, rescheduling. A job's first state is no move: who
//! wants another one changes the job when it is [created](Filter::creating).
//!
//! Moves that a storage makes of many jobs at once, within its own commit, pass no filter: a time that has come, a parent
//! that has succeeded, a server that died; nor do jobs that a server gives back because it shuts down. Those jobs go to
//! their queues, and filters are asked when they are about to be performed.
//!
//! A job that is stored under an alias is asked about as the job that it is by a server; a client, which may not know of
//! it, asks the filters of the name under which it is stored.
//!
//! # What to mind
//!
//! - A failure is retried if it comes from a run; a job that a filter lets fail before its run, or by hand, is not.
//! - On SQLite, a filter that writes to the storage while the handler's [`JobTx`](crate::prelude::JobTx) is open waits for
//!   that one, which waits for it: [`performed`](Filter::performed), [`elect`](Filter::elect) and the others after a run must
//!   not enqueue there.
//! - Hooks of jobs that schedules make have 30 s for all that are due at once.
//!
//! Without a filter none of this costs anything.

mod creation;
mod declared;
mod election;
#[cfg(feature = "tower")]
mod layer;
mod run;
mod set;

use async_trait::async_trait;

#[cfg(feature = "tower")]
pub use self::layer::{LayerFilter, Run, RunService};
pub use self::{
    creation::{Created, Creating},
    declared::FilterDescriptor,
    election::{Application, Election, InvalidElection, Subject},
    run::{Next, Performed, Performing},
    set::DeclaredFilters,
};
pub(crate) use self::{
    creation::{Creation, Stopped},
    declared::check as check_declared,
    election::Decision,
    set::{Chain, Filters},
};
use crate::job::Output;

/// What a hook returns; `?` takes any error.
pub type FilterResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Code that stands round jobs; the hooks that it has no use for do nothing. See the [module](self).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a filter",
    label = "this does not implement `Filter`",
    note = "a filter is a value: implement `jobs_runtime::filter::Filter` for its type, with `#[jobs_runtime::async_trait]`"
)]
#[async_trait]
pub trait Filter: Send + Sync + 'static {
    /// What it is called in messages and histories; by default its type, without modules.
    fn name(&self) -> &'static str {
        short_type_name(std::any::type_name::<Self>())
    }

    /// When it is asked: filters of lower numbers stand round those of higher ones. −1 by default, as in Hangfire. The
    /// retry of a failed job is elected at 20.
    fn order(&self) -> i32 {
        -1
    }

    /// Before a job is stored. It may change the job, and [cancel](Creating::cancel) it.
    async fn creating(&self, _creating: &mut Creating) -> FilterResult {
        Ok(())
    }

    /// After a job was stored, or was not. An error here changes nothing of that; it is logged.
    async fn created(&self, _created: &mut Created<'_>) -> FilterResult {
        Ok(())
    }

    /// Before a job's handler runs. It may [cancel](Performing::cancel) the job, which is then deleted.
    async fn performing(&self, _performing: &mut Performing) -> FilterResult {
        Ok(())
    }

    /// After a job's handler has returned, failed, panicked, or run out of time; not if its server interrupted it.
    async fn performed(&self, _performed: &mut Performed<'_>) -> FilterResult {
        Ok(())
    }

    /// Round the run of a job's handler: calls [`performing`](Self::performing), what is inside, and
    /// [`performed`](Self::performed). A filter that can't be told in these two steps overrides it.
    async fn perform(&self, performing: Performing, next: Next) -> Output {
        run::in_two_steps(self, performing, next).await
    }

    /// When a job is about to move into a state. It may [elect](Election::elect) another one, and the one it
    /// replaces becomes history.
    async fn elect(&self, _election: &mut Election) -> FilterResult {
        Ok(())
    }

    /// When it is settled which state a job leaves. What is changed here is written with the move, in one commit.
    fn unapplied(&self, _application: &mut Application<'_>) -> FilterResult {
        Ok(())
    }

    /// When it is settled which state a job enters. What is changed here is written with the move, in one commit.
    fn applied(&self, _application: &mut Application<'_>) -> FilterResult {
        Ok(())
    }
}

/// A type's name without modules, of itself and of its parameters.
fn short_type_name(name: &'static str) -> &'static str {
    let end = name.find('<').unwrap_or(name.len());
    let start = name[..end].rfind("::").map_or(0, |at| at + 2);
    &name[start..]
}

#[cfg(test)]
mod tests {
    use super::short_type_name;

    #[test]
    fn a_filter_is_called_by_its_type() {
        assert_eq!(short_type_name("app::mail::Audit"), "Audit");
        assert_eq!(short_type_name("Audit"), "Audit");
        assert_eq!(short_type_name("app::Keep<core::time::Duration>"), "Keep<core::time::Duration>");
    }
}
