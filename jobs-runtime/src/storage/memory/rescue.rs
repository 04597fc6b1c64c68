//! Taking jobs back from dead servers.

use super::tables::Tables;
use crate::{
    clock::Timestamp,
    job::JobId,
    state::{Death, StateName, lost},
    storage::{Rescue, Rescued, ServerId},
};

impl Tables {
    pub(super) fn rescue(&mut self, rescue: &Rescue, now: Timestamp) -> Vec<Rescued> {
        let limit = rescue.silent_since;
        let alive = |server: &ServerId| self.servers.get(server).is_some_and(|(_, beat)| *beat >= limit);
        let orphans: Vec<(JobId, ServerId, Death)> = self.index[StateName::Processing as usize]
            .iter()
            .filter_map(|(_, id)| {
                let row = &self.jobs[id];
                let (_, server) = row.claim.as_ref()?;
                (!alive(server)).then(|| (*id, server.clone(), Death { lost: row.lost, begun: row.begun }))
            })
            .take(rescue.limit)
            .collect();
        let rescued: Vec<Rescued> = orphans
            .into_iter()
            .map(|(job, server, death)| {
                let transition = lost(server.as_str(), death, rescue.max_lost, now);
                let to = transition.to.name();
                self.apply(job, transition);
                Rescued { job, server, to }
            })
            .collect();
        self.servers.retain(|_, (_, beat)| *beat >= limit);
        rescued
    }
}
