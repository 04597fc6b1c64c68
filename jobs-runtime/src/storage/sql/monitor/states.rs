use super::state;
use crate::{
    job::JobId,
    state::StateName,
    storage::{
        StorageResult,
        sql::session::{Query, Session, params, read},
    },
};

/// The states of some jobs.
pub(crate) struct FindStates(pub(crate) Vec<JobId>);

impl Query for FindStates {
    type Answer = Vec<(JobId, StateName)>;

    async fn run<S: Session>(&self, session: &mut S) -> StorageResult<Vec<(JobId, StateName)>> {
        const SELECT: &str = "
            SELECT j.id, j.state, j.state_at, p.at AS claimed_at, s.at AS ended_at
            FROM {p}job j
            LEFT JOIN {p}processing p ON p.job = j.id
            LEFT JOIN {p}succeeded s ON s.job = j.id
            WHERE j.id {in_ids}";
        let rows = session.fetch(SELECT, params![self.0.clone()]).await?;
        read(session, &rows, |row| Ok((row.id("id")?, state(row)?.0)))
    }
}
