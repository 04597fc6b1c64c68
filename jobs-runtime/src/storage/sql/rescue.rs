use super::{
    session::{Verb, Write, params, read},
    transition::{Expected, apply},
};
use crate::{
    clock::Timestamp,
    job::JobId,
    state::{Death, StateName, StateSet, lost},
    storage::{Rescue, Rescued, ServerId, StorageResult},
};

impl Verb for Rescue {
    type Answer = Vec<Rescued>;

    async fn run<S: Write>(&self, tx: &mut S) -> StorageResult<Vec<Rescued>> {
        let alive_since = self.silent_since;
        let mut rescued = Vec::new();
        for orphan in orphans(tx, alive_since, self.limit).await? {
            let Orphan { job, server, death } = orphan;
            let transition = lost(server.as_str(), death, self.max_lost, tx.now());
            let expected = Expected::States(StateSet::of(&[StateName::Processing]));
            if apply(tx, job, expected, &transition).await?.is_ok() {
                rescued.push(Rescued { job, server, to: transition.to.name() });
            }
        }
        tx.execute("DELETE FROM {p}server WHERE heartbeat_at < ?", params![alive_since]).await?;
        Ok(rescued)
    }
}

/// A job whose server is dead.
struct Orphan {
    job: JobId,
    server: ServerId,
    death: Death,
}

async fn orphans<S: Write>(tx: &mut S, alive_since: Timestamp, limit: usize) -> StorageResult<Vec<Orphan>> {
    const SELECT: &str = "
        SELECT p.job, p.server, p.begun, j.lost
        FROM {p}processing p
        {join} {p}job j ON j.id = p.job
        WHERE NOT EXISTS (SELECT 1 FROM {p}server s WHERE s.id = p.server AND s.heartbeat_at >= ?)
        ORDER BY p.job
        LIMIT ?";
    let rows = tx.fetch(SELECT, params![alive_since, limit]).await?;
    read(tx, &rows, |row| {
        let death = Death { lost: row.number("lost")?, begun: row.int("begun")? != 0 };
        Ok(Orphan { job: row.id("job")?, server: ServerId::new(row.text("server")?), death })
    })
}
