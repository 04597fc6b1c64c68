use sqlx::Row as _;
use tokio::time::Instant;

use super::{
    Postgres,
    claim::{self, picked},
    finish::{Batch, Successes, record},
    session::Tx,
};
use crate::{
    state::StateName,
    storage::{
        Claim, ClaimedJob, Finish, StorageResult, Turn,
        sql::{
            Write as _,
            pooled::{Shared, Work},
        },
    },
};

/// Records how runs ended, and claims the next jobs: successes and claims with one statement and one commit.
pub(super) async fn finish_and_claim(shared: &Shared<Postgres>, batch: Vec<Finish>, claim: Claim) -> Turn {
    let mut batch = Batch::new(batch);
    let fused = Fused { successes: batch.take_successes(), claim };
    match shared.run(&fused).await {
        Ok((recorded, claimed)) => {
            batch.recorded(recorded, fused.successes);
            Turn { recorded: batch.finish(shared).await, claimed: Ok(claimed) }
        }
        Err(error) => Turn::failed(error, &shared.url()),
    }
}

/// The answer is how many successes were recorded, and what was claimed.
struct Fused {
    successes: Successes,
    claim: Claim,
}

impl Work<Postgres> for Fused {
    type Answer = (usize, Vec<ClaimedJob>);

    fn is_single(&self) -> bool {
        true
    }

    async fn run(&self, tx: &mut Tx<'_>) -> StorageResult<Self::Answer> {
        let (lanes, began) = (tx.shared.driver.watermarks.lanes(&self.claim.queues), Instant::now());
        let fused = claim::bind(self.successes.bind(tx.query(FUSED), tx), tx, &self.claim, &lanes);
        let mut rows = fused.fetch_all(&mut *tx.connection).await.map_err(|error| tx.shared.failed(error))?;
        let recorded: i64 =
            rows.first().map_or(Ok(0), |row| row.try_get("recorded")).map_err(|e| tx.shared.failed(e))?;
        if rows.first().is_some_and(|row| row.try_get::<Option<i64>, _>("token").ok().flatten().is_none()) {
            // The row that only tells how many were recorded.
            rows.clear();
        }
        if recorded > 0 {
            tx.effects().entered(StateName::Succeeded);
        }
        let claimed = claim::claimed(tx, &self.claim, &lanes, &rows, began.elapsed())?;
        Ok((usize::try_from(recorded).unwrap_or_default(), claimed))
    }
}

const FUSED: &str = concat!(
    "WITH ",
    record!(),
    ", ",
    picked!(),
    "
    SELECT e.recorded, c.*
    FROM (SELECT count(*) AS recorded FROM gone) e
    LEFT JOIN (
        SELECT j.id, j.type, j.method, j.arguments, j.max_attempts, j.created_at, j.spent, j.lost, j.schedule, j.slot,
               j.parameters, picked.queue, picked.rank, picked.seq, picked.i, delivery.token
        FROM picked CROSS JOIN delivery
        INNER JOIN {p}job j ON j.id = picked.job
    ) c ON true
    ORDER BY c.i, c.rank, c.seq"
);
