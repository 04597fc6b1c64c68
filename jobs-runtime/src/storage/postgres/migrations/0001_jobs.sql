-- {p} is the schema with its dot. Times are microseconds since 1970 in UTC.

-- Places in queues; and claim tokens and versions of schedules.
CREATE SEQUENCE {p}place;
CREATE SEQUENCE {p}token;

-- A job's body, written once. Its state columns are not touched on the way enqueued -> processing ->
-- succeeded: a job that has a row in `processing` or `succeeded` is in that state, whatever they say.
CREATE TABLE {p}job (
    id           UUID    NOT NULL PRIMARY KEY,
    type         TEXT    NOT NULL,
    method       TEXT    NOT NULL,
    arguments    TEXT    NOT NULL,
    queue        TEXT    COLLATE "C" NOT NULL,
    priority     INTEGER NOT NULL,
    awaited      BOOLEAN NOT NULL DEFAULT false,   -- others await it; then its rows in `ready` and `processing` say so too
    max_attempts BIGINT,
    created_at   BIGINT  NOT NULL,
    parent       UUID,               -- began as awaiting this job
    due_at       BIGINT,             -- began as scheduled for this time
    state        TEXT    NOT NULL,
    state_at     BIGINT  NOT NULL,
    place        BIGINT  NOT NULL,   -- its seq in `ready`, or its at in `scheduled`, `failed`, `deleted`
    spent        BIGINT  NOT NULL,   -- attempts that count
    lost         BIGINT  NOT NULL,   -- those of them that were lost with their server
    expires_at   BIGINT,
    schedule     TEXT    COLLATE "C",
    slot         BIGINT
);
CREATE INDEX job_expires ON {p}job (expires_at) WHERE expires_at IS NOT NULL;
-- Of each slot there is one job; triggered jobs have no slot.
CREATE UNIQUE INDEX job_slot ON {p}job (schedule, slot) WHERE schedule IS NOT NULL;

-- One narrow table a state.
CREATE TABLE {p}ready (
    seq     BIGINT   NOT NULL,
    job     UUID     NOT NULL,
    rank    INTEGER  NOT NULL,       -- the negative priority
    awaited BOOLEAN  NOT NULL,
    queue   TEXT     COLLATE "C" NOT NULL,
    PRIMARY KEY (queue, rank, seq)
);
CREATE TABLE {p}scheduled (
    at  BIGINT NOT NULL,
    job UUID   NOT NULL,
    PRIMARY KEY (at, job)
);
CREATE TABLE {p}awaiting (
    job    UUID NOT NULL PRIMARY KEY,
    parent UUID NOT NULL
);
CREATE INDEX awaiting_parent ON {p}awaiting (parent);
CREATE TABLE {p}processing (
    job     UUID     NOT NULL PRIMARY KEY,
    token   BIGINT   NOT NULL,
    at      BIGINT   NOT NULL,
    begun   SMALLINT NOT NULL DEFAULT 0,   -- the server said that the run begins; only of jobs lost before
    awaited BOOLEAN  NOT NULL,
    server  TEXT     NOT NULL
);
CREATE TABLE {p}succeeded (
    job        UUID   NOT NULL PRIMARY KEY,
    token      BIGINT NOT NULL,
    claimed_at BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    duration   BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    server     TEXT   NOT NULL,
    result     TEXT   NOT NULL
);
CREATE INDEX succeeded_at ON {p}succeeded (at, job);
CREATE INDEX succeeded_expires ON {p}succeeded (expires_at);
CREATE TABLE {p}failed (
    at  BIGINT NOT NULL,
    job UUID   NOT NULL,
    PRIMARY KEY (at, job)
);
CREATE TABLE {p}deleted (
    at  BIGINT NOT NULL,
    job UUID   NOT NULL,
    PRIMARY KEY (at, job)
);

-- What a job's rows above don't tell: every move off the usual way.
CREATE TABLE {p}history (
    seq    BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job    UUID   NOT NULL,
    state  TEXT   NOT NULL,
    at     BIGINT NOT NULL,
    reason TEXT,
    data   TEXT   NOT NULL
);
CREATE INDEX history_job ON {p}history (job);

-- Several rows an hour, so that servers don't wait for each other to count.
CREATE TABLE {p}statistics (
    hour      BIGINT   NOT NULL,   -- seconds since 1970
    shard     BIGINT   NOT NULL,
    succeeded BIGINT   NOT NULL,
    failed    BIGINT   NOT NULL,
    deleted   BIGINT   NOT NULL,
    PRIMARY KEY (hour, shard)
);

CREATE TABLE {p}server (
    id           TEXT   NOT NULL PRIMARY KEY,
    started_at   BIGINT NOT NULL,
    queues       TEXT   NOT NULL,   -- a JSON array
    workers      BIGINT NOT NULL,
    heartbeat_at BIGINT NOT NULL
);

CREATE TABLE {p}schedule (
    id         TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    next_run   BIGINT,
    definition TEXT   NOT NULL,   -- what to run when, as JSON
    progress   TEXT   NOT NULL    -- how far it has come, as JSON
);
CREATE INDEX schedule_due ON {p}schedule (next_run, id) WHERE next_run IS NOT NULL;
