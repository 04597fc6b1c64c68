use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use sqlx::{Connection as _, MySqlConnection, MySqlPool, mysql::MySqlPoolOptions};
use tokio::runtime::Handle;

use super::{MySqlOptions, Shared, poll::Tickets, schema, session::DIALECT};
use crate::{
    clock::Clock,
    storage::{
        Signals, StorageError, StorageResult,
        sql::{SHARDS, Templates, Trust, answered},
    },
};

/// How often the database is asked for the time.
const CLOCK_INTERVAL: Duration = Duration::from_secs(60);

impl Shared {
    pub(super) async fn open(options: MySqlOptions) -> StorageResult<Self> {
        let sql = Templates::new(options.table_prefix.clone(), &DIALECT);
        let mut connection =
            MySqlConnection::connect_with(&options.connect).await.map_err(|error| explain(&options, error))?;
        schema::prepare(&mut connection, &options, &sql).await?;
        let (clock, shift) = match &options.clock {
            Some(clock) => (clock.clone(), None),
            None => {
                let shift = Arc::new(AtomicI64::new(0));
                (Clock::shifted(Arc::clone(&shift)), Some(shift))
            }
        };
        if let Some(shift) = &shift {
            let measured = measure(&mut connection).await.map_err(|error| explain(&options, error))?;
            shift.store(measured, Ordering::Relaxed);
        }
        // The pool begins empty: an error is only that the connection ends in another way.
        let _ = connection.close().await;
        let trust = Arc::new(Trust::default());
        let pool = pool(&options, Arc::clone(&trust));
        let (tickets, shard) = (Tickets::default(), fastrand::i64(0..SHARDS));
        Ok(Self { options, sql, clock, shift, signals: Signals::default(), pool, trust, tickets, shard })
    }
}

fn pool(options: &MySqlOptions, trust: Arc<Trust>) -> MySqlPool {
    MySqlPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.operation_timeout)
        .test_before_acquire(false)
        .after_connect(|connection, _| {
            Box::pin(async move {
                // Who waited for a lock must see what the other wrote.
                let isolation = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
                sqlx::raw_sql(isolation).execute(connection).await.map(drop)
            })
        })
        .before_acquire(move |connection, meta| {
            let trusted = trust.covers(meta.idle_for);
            Box::pin(async move {
                if trusted {
                    return Ok(true);
                }
                answered(connection.ping()).await
            })
        })
        .connect_lazy_with(options.connect.clone())
}

/// Keeps the storage's clock at the database's, for as long as there is the storage.
pub(super) fn follow_clock(thread: &Handle, shared: &Arc<Shared>) {
    let Some(shift) = shared.shift.clone() else { return };
    let shared: Weak<Shared> = Arc::downgrade(shared);
    thread.spawn(async move {
        loop {
            tokio::time::sleep(CLOCK_INTERVAL).await;
            let Some(shared) = shared.upgrade() else { return };
            let Ok(mut connection) = shared.acquire().await else { continue };
            let measured = shared.in_time(measure(&mut connection)).await;
            match shared.give_back(connection, measured.map(|measured| measured.map_err(|error| shared.failed(error))))
            {
                Ok(measured) => shift.store(measured, Ordering::Relaxed),
                Err(error) => tracing::debug!(%error, "the database did not tell the time"),
            }
        }
    });
}

/// By how many microseconds the database's clock is ahead of this machine's; of some tries the one that took the least
/// time.
async fn measure(connection: &mut MySqlConnection) -> sqlx::Result<i64> {
    let system = Clock::system();
    let mut best = (i64::MAX, 0);
    for _ in 0..3 {
        let asked = system.now().timestamp_micros();
        let told: i64 = sqlx::query_scalar("SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)")
            .fetch_one(&mut *connection)
            .await?;
        let answered = system.now().timestamp_micros();
        best = best.min((answered - asked, told - asked - (answered - asked) / 2));
    }
    Ok(best.1)
}

/// What to tell about a database that can't be opened.
pub(super) fn explain(options: &MySqlOptions, error: sqlx::Error) -> StorageError {
    let number = error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>())
        .map_or(0, sqlx::mysql::MySqlDatabaseError::number);
    let reason = match (number, &error) {
        (1045 | 1698, _) => "user or password are refused; check them in the URL".to_owned(),
        (1044, _) => "this user may not use the database; grant it the right to".to_owned(),
        (1049, _) => {
            "there is no such database; make it with `CREATE DATABASE`, or name another one in the URL".to_owned()
        }
        (1142, _) => {
            "this user may not make tables; grant it the right to, or migrate with another user and open with \
                      `migrate=false`"
                .to_owned()
        }
        (_, sqlx::Error::Io(error)) => {
            format!("the server can't be reached: {error}; check host and port in the URL, and that it runs")
        }
        _ => error.to_string(),
    };
    StorageError::Open { storage: options.url(), reason, source: Some(Box::new(error)) }
}
