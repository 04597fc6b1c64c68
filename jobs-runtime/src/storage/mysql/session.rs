//! What the statements that all SQL storages share need of MySQL and MariaDB.

use sqlx::{
    MySql as My, Row,
    mysql::{MySqlArguments, MySqlRow},
    query::Query,
};

use super::{MySql, beside, enqueue};
use crate::{
    clock::Timestamp,
    job::JobId,
    state::StateName,
    storage::{
        NewJob, Retention, StorageError, StorageResult,
        signals::Effects,
        sql::{Columns, Dialect, Param, Session, Stored, Write, count, note_awaited, params, pooled, stored},
    },
};

pub(super) const DIALECT: Dialect = Dialect {
    in_ids: "IN ({values})",
    locked: "FOR UPDATE",
    insert_new: "INSERT IGNORE",
    if_new: "",
    join: "STRAIGHT_JOIN",
    rank: "`rank`",
    integer: "SIGNED",
    numbered: false,
    own: &[(
        "{add_counts}",
        "ON DUPLICATE KEY UPDATE
             succeeded = succeeded + VALUES(succeeded),
             failed = failed + VALUES(failed),
             deleted = deleted + VALUES(deleted)",
    )],
};

/// How many numbers one ticket is good for.
pub(super) const TICKET: i64 = 4_096;

/// A connection in a transaction; it is `told` by the last ticket that it took.
pub(super) type Tx<'c> = pooled::Tx<'c, MySql>;

impl Tx<'_> {
    /// A number that grows from call to call, whoever calls.
    pub(super) async fn ticket(&mut self) -> StorageResult<i64> {
        let insert = sqlx::query(self.shared.sql.get("INSERT INTO {p}ticket (id) VALUES (NULL)"));
        let done = insert.execute(&mut *self.connection).await.map_err(|error| self.shared.failed(error))?;
        let ticket = i64::try_from(done.last_insert_id()).unwrap_or(i64::MAX / TICKET);
        self.told = Some(ticket);
        // The application's may be there long after newer ones: to this process too it is news then.
        if !self.is_app {
            self.shared.driver.tickets.take(ticket);
        }
        Ok(ticket)
    }

    /// Runs a statement with `count` times `row` for its `{values}` or `{keys}`.
    pub(super) async fn execute_rows(
        &mut self,
        template: &'static str,
        row: &str,
        count: usize,
        params: Vec<Param>,
    ) -> StorageResult<u64> {
        self.check_size(&params)?;
        let query = bind(sqlx::query(self.shared.sql.with_rows(template, row, count)), params);
        let done = query.execute(&mut *self.connection).await.map_err(|error| self.shared.failed(error))?;
        Ok(done.rows_affected())
    }

    /// How many rows go into one statement, at least one, whose texts are so long.
    pub(super) fn fitting(&self, texts: impl Iterator<Item = usize>) -> usize {
        let most = self.shared.driver.packet().min(MOST_BYTES);
        let mut bytes = 0;
        let fits = |text: &usize| {
            bytes += text + REST_OF_ROW;
            bytes <= most
        };
        texts.take(MOST).take_while(fits).count().max(1)
    }

    /// A statement that is too large for the server would only end the connection.
    fn check_size(&self, params: &[Param]) -> StorageResult<()> {
        let (bytes, most) = (params.iter().map(size).sum::<usize>(), self.shared.driver.packet());
        if bytes <= most {
            return Ok(());
        }
        let reason = format!(
            "a statement of {bytes} bytes doesn't fit into a packet of the server, which has at most {most}: raise \
             `max_allowed_packet`, or store what is large elsewhere"
        );
        Err(StorageError::Refused { storage: self.shared.url(), reason, source: None })
    }
}

/// How many rows are stored with one statement, and how many bytes.
const MOST: usize = 256;
const MOST_BYTES: usize = 4 << 20;

/// What a row has beside its long text, at most.
const REST_OF_ROW: usize = 2_048;

/// How many bytes a parameter has in a packet, at most.
fn size(param: &Param) -> usize {
    const FRAME: usize = 12;
    match param {
        Param::Int(_) => FRAME + 8,
        Param::Text(text) => FRAME + text.as_ref().map_or(0, String::len),
        Param::Id(_) => FRAME + 16,
        Param::Ids(ids) => (FRAME + 16) * ids.len(),
    }
}

impl Session for Tx<'_> {
    type Row = MySqlRow;

    fn storage(&self) -> String {
        self.shared.url()
    }

    async fn execute(&mut self, template: &'static str, params: Vec<Param>) -> StorageResult<u64> {
        let mut changed = 0;
        for params in pieces(params) {
            changed += self.execute_rows(template, "?", ids(&params), params).await?;
        }
        Ok(changed)
    }

    async fn fetch(&mut self, template: &'static str, params: Vec<Param>) -> StorageResult<Vec<MySqlRow>> {
        let mut rows = Vec::new();
        for params in pieces(params) {
            self.check_size(&params)?;
            let query = bind(sqlx::query(self.shared.sql.with_rows(template, "?", ids(&params))), params);
            let piece = query.fetch_all(&mut *self.connection).await;
            rows.extend(piece.map_err(|error| self.shared.failed(error))?);
        }
        Ok(rows)
    }

    async fn fetch_text(&mut self, template: String, params: Vec<Param>) -> StorageResult<Vec<MySqlRow>> {
        self.check_size(&params)?;
        let query = bind(sqlx::query(self.shared.sql.once(&template)), params);
        query.fetch_all(&mut *self.connection).await.map_err(|error| self.shared.failed(error))
    }
}

impl Write for Tx<'_> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn retention(&self) -> Retention {
        self.shared.common.retention
    }

    async fn find(&mut self, id: JobId) -> StorageResult<Option<Stored>> {
        if self.is_app { beside::find(self, id).await } else { stored(self, id).await }
    }

    async fn note_awaited(&mut self, job: &Stored) -> StorageResult<bool> {
        if self.is_app { beside::note(self, job).await } else { note_awaited(self, job).await }
    }

    fn effects(&mut self) -> &mut Effects {
        &mut self.effects
    }

    async fn next_place(&mut self) -> StorageResult<i64> {
        Ok(self.ticket().await? * TICKET)
    }

    async fn next_version(&mut self) -> StorageResult<i64> {
        self.ticket().await
    }

    async fn count(&mut self, state: StateName, jobs: u64) -> StorageResult<()> {
        let shard = self.shard;
        count(self, shard, state, jobs).await
    }

    async fn wait_in_queue(&mut self, job: &Stored, place: i64) -> StorageResult<()> {
        const INSERT: &str = "
            INSERT INTO {p}ready (queue, {rank}, seq, job, awaited)
            SELECT queue, -priority, ?, id, awaited FROM {p}job WHERE id = ?";
        self.execute(INSERT, params![place, job.id]).await?;
        Ok(())
    }

    async fn store(&mut self, jobs: &[&NewJob]) -> StorageResult<()> {
        enqueue::store(self, jobs).await
    }
}

/// How many ids go into one statement, which can have no more than 65,535 parameters.
const MOST_IDS: usize = 16_384;

/// The parameters of each of the statements that do together what one would do with more ids than it can have.
fn pieces(params: Vec<Param>) -> Vec<Vec<Param>> {
    let too_many = |param: &Param| matches!(param, Param::Ids(ids) if ids.len() > MOST_IDS);
    let Some(at) = params.iter().position(too_many) else { return vec![params] };
    let Param::Ids(ids) = &params[at] else { return vec![params] };
    let with = |piece: &[JobId]| {
        let mut params = params.clone();
        params[at] = Param::Ids(piece.to_vec());
        params
    };
    ids.chunks(MOST_IDS).map(with).collect()
}
/// Up to so many rows are deleted by a join with their keys. A `DELETE` of one of several keys may read all rows of a
/// small table, and then it waits for those that others have locked.
pub(super) const FEW: usize = 16;

/// For how many ids the statement has room: one of few sizes, so that few statements need to be prepared.
fn ids(params: &[Param]) -> usize {
    let len = params.iter().find_map(|param| match param {
        Param::Ids(ids) => Some(ids.len()),
        _ => None,
    });
    len.map_or(0, |len| [1, 4, 16, 64, 256].into_iter().find(|size| *size >= len).unwrap_or(len))
}

fn bind(query: Query<'static, My, MySqlArguments>, params: Vec<Param>) -> Query<'static, My, MySqlArguments> {
    let room = ids(&params);
    params.into_iter().fold(query, |query, param| match param {
        Param::Int(number) => query.bind(number),
        Param::Text(text) => query.bind(text),
        Param::Id(id) => query.bind(id.map(|id| id.as_bytes().to_vec())),
        Param::Ids(ids) => {
            // What is left of the room is filled with the last one; none at all with one that no job has.
            let last = ids.last().map_or_else(|| vec![0; 16], |id| id.as_bytes().to_vec());
            let fill = std::iter::repeat_n(last, room - ids.len());
            ids.iter().map(|id| id.as_bytes().to_vec()).chain(fill).fold(query, |query, id| query.bind(id))
        }
    })
}

impl Columns for MySqlRow {
    fn int(&self, column: &str) -> sqlx::Result<Option<i64>> {
        self.try_get(column)
    }

    fn text(&self, column: &str) -> sqlx::Result<Option<String>> {
        self.try_get(column)
    }

    fn id(&self, column: &str) -> sqlx::Result<Option<JobId>> {
        let Some(bytes) = self.try_get::<Option<Vec<u8>>, _>(column)? else { return Ok(None) };
        let bytes = bytes.try_into().map_err(|_| sqlx::Error::Decode("it is not a job id".into()))?;
        Ok(Some(JobId::from_bytes(bytes)))
    }
}
