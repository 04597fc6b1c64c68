use crate::job::{ArgumentsError, Invocation, Job, JobSettings};

/// What [`Recurring::add_or_update`](super::Recurring::add_or_update) takes: a typed job, or an [`Invocation`].
pub trait IntoInvocation {
    /// What the job's type says of its calls.
    fn settings(&self) -> JobSettings;

    /// The call as it will be stored.
    ///
    /// # Errors
    ///
    /// [`ArgumentsError`] if the arguments can't be written as JSON.
    fn into_invocation(self) -> Result<Invocation, ArgumentsError>;
}

impl<J: Job> IntoInvocation for J {
    fn settings(&self) -> JobSettings {
        J::SETTINGS
    }

    fn into_invocation(self) -> Result<Invocation, ArgumentsError> {
        Invocation::of(&self)
    }
}

impl IntoInvocation for Invocation {
    fn settings(&self) -> JobSettings {
        JobSettings::default()
    }

    fn into_invocation(self) -> Result<Invocation, ArgumentsError> {
        Ok(self)
    }
}
