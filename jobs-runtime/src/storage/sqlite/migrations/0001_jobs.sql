-- {p} is the table prefix. Times are microseconds since 1970 in UTC, ids the sixteen bytes of a UUID.

-- Numbers that grow: places in queues and claim tokens.
CREATE TABLE {p}sequence (value INTEGER NOT NULL);
INSERT INTO {p}sequence (value) VALUES (0);

-- A job's body, written once. Its state columns are not touched on the way enqueued -> processing ->
-- succeeded: a job that has a row in `processing` or `succeeded` is in that state, whatever they say.
CREATE TABLE {p}job (
    id           BLOB    NOT NULL PRIMARY KEY,
    type         TEXT    NOT NULL,
    method       TEXT    NOT NULL,
    arguments    TEXT    NOT NULL,
    queue        TEXT    NOT NULL,
    priority     INTEGER NOT NULL,
    max_attempts INTEGER,
    created_at   INTEGER NOT NULL,
    parent       BLOB,               -- began as awaiting this job
    due_at       INTEGER,            -- began as scheduled for this time
    state        TEXT    NOT NULL,
    state_at     INTEGER NOT NULL,
    place        INTEGER NOT NULL,   -- its seq in `ready`, or its at in `scheduled`, `failed`, `deleted`
    spent        INTEGER NOT NULL,   -- attempts that count
    lost         INTEGER NOT NULL,   -- those of them that were lost with their server
    expires_at   INTEGER
) WITHOUT ROWID;
CREATE INDEX {p}job_expires ON {p}job (expires_at) WHERE expires_at IS NOT NULL;

-- One narrow table a state.
CREATE TABLE {p}ready (
    queue TEXT    NOT NULL,
    rank  INTEGER NOT NULL,          -- the negative priority
    seq   INTEGER NOT NULL,
    job   BLOB    NOT NULL,
    PRIMARY KEY (queue, rank, seq)
) WITHOUT ROWID;
CREATE TABLE {p}scheduled (
    at  INTEGER NOT NULL,
    job BLOB    NOT NULL,
    PRIMARY KEY (at, job)
) WITHOUT ROWID;
CREATE TABLE {p}awaiting (
    job    BLOB NOT NULL PRIMARY KEY,
    parent BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX {p}awaiting_parent ON {p}awaiting (parent);
CREATE TABLE {p}processing (
    job    BLOB    NOT NULL PRIMARY KEY,
    token  INTEGER NOT NULL,
    server TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    begun  INTEGER NOT NULL DEFAULT 0   -- the server said that the run begins; only of jobs lost before
) WITHOUT ROWID;
CREATE TABLE {p}succeeded (
    job        BLOB    NOT NULL PRIMARY KEY,
    token      INTEGER NOT NULL,
    server     TEXT    NOT NULL,
    claimed_at INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    duration   INTEGER NOT NULL,
    result     TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX {p}succeeded_at ON {p}succeeded (at, job);
CREATE INDEX {p}succeeded_expires ON {p}succeeded (expires_at);
CREATE TABLE {p}failed (
    at  INTEGER NOT NULL,
    job BLOB    NOT NULL,
    PRIMARY KEY (at, job)
) WITHOUT ROWID;
CREATE TABLE {p}deleted (
    at  INTEGER NOT NULL,
    job BLOB    NOT NULL,
    PRIMARY KEY (at, job)
) WITHOUT ROWID;

-- What a job's rows above don't tell: every move off the usual way.
CREATE TABLE {p}history (
    seq    INTEGER NOT NULL PRIMARY KEY,
    job    BLOB    NOT NULL,
    state  TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    reason TEXT,
    data   TEXT    NOT NULL
);
CREATE INDEX {p}history_job ON {p}history (job);

CREATE TABLE {p}statistics (
    hour      INTEGER NOT NULL PRIMARY KEY,   -- seconds since 1970
    succeeded INTEGER NOT NULL,
    failed    INTEGER NOT NULL,
    deleted   INTEGER NOT NULL
);

CREATE TABLE {p}server (
    id           TEXT    NOT NULL PRIMARY KEY,
    started_at   INTEGER NOT NULL,
    queues       TEXT    NOT NULL,   -- a JSON array
    workers      INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL
) WITHOUT ROWID;
