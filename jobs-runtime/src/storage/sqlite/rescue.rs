use super::{
    rows::Reader,
    transition::Expected,
    tx::{Tx, Verb, micros},
};
use crate::{
    clock::before,
    job::JobId,
    state::{Death, StateName, StateSet, lost},
    storage::{Rescue, Rescued, ServerId, StorageResult},
};

impl Verb for Rescue {
    type Answer = Vec<Rescued>;

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<Vec<Rescued>> {
        let limit = micros(before(tx.now, self.stale_after));
        let mut rescued = Vec::new();
        for orphan in orphans(tx, limit, self.limit).await? {
            let Orphan { job, server, death } = orphan;
            let transition = lost(server.as_str(), death, self.max_lost, tx.now);
            let expected = Expected::States(StateSet::of(&[StateName::Processing]));
            if tx.apply(job, expected, &transition).await?.is_ok() {
                rescued.push(Rescued { job, server, to: transition.to.name() });
            }
        }
        let delete = tx.sql("DELETE FROM {p}server WHERE heartbeat_at < ?");
        sqlx::query(delete).bind(limit).execute(&mut *tx.connection).await.map_err(|error| tx.failed(error))?;
        Ok(rescued)
    }
}

/// A job whose server is dead.
struct Orphan {
    job: JobId,
    server: ServerId,
    death: Death,
}

async fn orphans(tx: &mut Tx<'_>, alive_since: i64, limit: usize) -> StorageResult<Vec<Orphan>> {
    let select = tx.sql(
        "SELECT p.job, p.server, p.begun, j.lost
         FROM {p}processing p
         CROSS JOIN {p}job j ON j.id = p.job
         WHERE NOT EXISTS (SELECT 1 FROM {p}server s WHERE s.id = p.server AND s.heartbeat_at >= ?)
         ORDER BY p.job
         LIMIT ?",
    );
    let rows = sqlx::query(select).bind(alive_since).bind(limit as i64).fetch_all(&mut *tx.connection).await;
    let rows = rows.map_err(|error| tx.failed(error))?;
    rows.iter()
        .map(|row| {
            let row = Reader { row, shared: tx.shared };
            let server = ServerId::new(row.get::<String>("server")?);
            let death = Death { lost: row.number("lost")?, begun: row.get("begun")? };
            Ok(Orphan { job: row.id("job")?, server, death })
        })
        .collect()
}
