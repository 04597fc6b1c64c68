//! Giving jobs to servers.

use super::tables::Tables;
use crate::{
    clock::Timestamp,
    job::JobId,
    state::{Processing, StateName, Transition},
    storage::{Claim, ClaimToken, ClaimedJob, ServerId},
};

impl Tables {
    pub(super) fn claim(&mut self, claim: &Claim, now: Timestamp) -> Vec<ClaimedJob> {
        let token = ClaimToken(i64::try_from(self.next()).unwrap_or(i64::MAX));
        let mut taken = Vec::new();
        for queue in claim.queues.iter() {
            let Some(ready) = self.ready.get(queue) else { continue };
            taken.extend(ready.iter().take(claim.limit - taken.len()).map(|(_, _, id)| *id));
        }
        taken.into_iter().filter_map(|id| self.hold(id, token, &claim.server, now)).collect()
    }

    pub(super) fn hold(
        &mut self,
        id: JobId,
        token: ClaimToken,
        server: &ServerId,
        now: Timestamp,
    ) -> Option<ClaimedJob> {
        let attempt = self.jobs.get(&id)?.spent + 1;
        let to = Processing { server: server.to_string(), attempt };
        self.apply(id, Transition::new(to, now));
        let row = self.jobs.get_mut(&id)?;
        row.claim = Some((token, server.clone()));
        Some(ClaimedJob {
            id,
            token,
            name: row.job.invocation.name().clone(),
            arguments: row.job.invocation.arguments().to_owned(),
            queue: row.job.queue.clone(),
            attempt,
            lost: row.lost,
            max_attempts: row.job.max_attempts,
            created_at: row.job.created_at,
            recurrence: row.job.recurrence.clone(),
            parameters: row.job.parameters.clone(),
        })
    }

    pub(super) fn holds(&self, id: JobId, token: ClaimToken) -> bool {
        self.jobs.get(&id).and_then(|row| row.claim.as_ref()).is_some_and(|(held, _)| *held == token)
    }

    pub(super) fn begin(&mut self, claims: &[(JobId, ClaimToken)]) {
        for (id, token) in claims {
            if self.holds(*id, *token)
                && let Some(row) = self.jobs.get_mut(id)
            {
                row.begun = true;
            }
        }
    }

    /// The claims that a server holds.
    pub(super) fn held_by<'t>(&'t self, server: &'t ServerId) -> impl Iterator<Item = (JobId, ClaimToken)> + 't {
        self.index[StateName::Processing as usize].iter().filter_map(move |(_, id)| {
            let (token, holder) = self.jobs.get(id)?.claim.as_ref()?;
            (holder == server).then_some((*id, *token))
        })
    }
}
