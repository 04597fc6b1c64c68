use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use sqlx::{Connection as _, PgConnection, PgPool, postgres::PgPoolOptions};
use tokio::runtime::Handle;

use super::{PostgresOptions, Shared, notify::Notifier, schema, session::DIALECT};
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
    pub(super) async fn open(options: PostgresOptions) -> StorageResult<Self> {
        let sql = Templates::new(format!("{}.", options.schema), &DIALECT);
        let mut connection =
            PgConnection::connect_with(&options.connect).await.map_err(|error| explain(&options, error))?;
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
        let shard = fastrand::i64(0..SHARDS);
        let notifier = Notifier::new(&options);
        Ok(Self { options, sql, clock, shift, signals: Signals::default(), pool, trust, notifier, shard })
    }
}

fn pool(options: &PostgresOptions, trust: Arc<Trust>) -> PgPool {
    PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.operation_timeout)
        .test_before_acquire(false)
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
async fn measure(connection: &mut PgConnection) -> sqlx::Result<i64> {
    let system = Clock::system();
    let mut best = (i64::MAX, 0);
    for _ in 0..3 {
        let asked = system.now().timestamp_micros();
        let told: i64 = sqlx::query_scalar("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8")
            .fetch_one(&mut *connection)
            .await?;
        let answered = system.now().timestamp_micros();
        best = best.min((answered - asked, told - asked - (answered - asked) / 2));
    }
    Ok(best.1)
}

/// What to tell about a database that can't be opened.
pub(super) fn explain(options: &PostgresOptions, error: sqlx::Error) -> StorageError {
    let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
    let reason = match (code.as_str(), &error) {
        ("28P01" | "28000", _) => {
            "user or password are refused; check them in the URL, and the server's pg_hba.conf".to_owned()
        }
        ("3D000", _) => "there is no such database; make it with `createdb`, or name another one in the URL".to_owned(),
        ("42501", _) => format!(
            "this user may not make the schema `{0}` or tables in it; run `CREATE SCHEMA {0} AUTHORIZATION …` as its \
             owner, or migrate with another user and open with `migrate=false`",
            options.schema
        ),
        (_, sqlx::Error::Io(error)) => {
            format!("the server can't be reached: {error}; check host and port in the URL, and that it runs")
        }
        _ => error.to_string(),
    };
    StorageError::Open { storage: options.url(), reason, source: Some(Box::new(error)) }
}
