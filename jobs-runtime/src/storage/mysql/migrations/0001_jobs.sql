-- {p} is the table prefix. Times are microseconds since 1970 in UTC, ids the sixteen bytes of a UUID.
-- MySQL commits with each statement, so each must do no harm when it is run again.

-- A row is a number that grows: places in queues, claim tokens, versions. Old rows are removed.
CREATE TABLE IF NOT EXISTS {p}ticket (
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY
) ENGINE = InnoDB;

-- A job's body, written once. Its state columns are not touched on the way enqueued -> processing ->
-- succeeded: a job that has a row in `processing` or `succeeded` is in that state, whatever they say.
CREATE TABLE IF NOT EXISTS {p}job (
    id           BINARY(16)   NOT NULL PRIMARY KEY,
    type         VARCHAR(512) NOT NULL,
    method       VARCHAR(512) NOT NULL,
    arguments    LONGTEXT     NOT NULL,
    queue        VARCHAR(100) NOT NULL,
    priority     INT          NOT NULL,
    awaited      BOOLEAN      NOT NULL DEFAULT false,   -- others await it; then its rows in `ready` and `processing` say so too
    max_attempts BIGINT,
    created_at   BIGINT       NOT NULL,
    parent       BINARY(16),            -- began as awaiting this job
    due_at       BIGINT,                -- began as scheduled for this time
    state        VARCHAR(20)  NOT NULL,
    state_at     BIGINT       NOT NULL,
    place        BIGINT       NOT NULL, -- its seq in `ready`, or its at in `scheduled`, `failed`, `deleted`
    spent        BIGINT       NOT NULL, -- attempts that count
    lost         BIGINT       NOT NULL, -- those of them that were lost with their server
    expires_at   BIGINT,
    schedule     VARCHAR(200),
    entered      BIGINT       NOT NULL, -- its place when it was stored: tells who stored it
    slot         BIGINT,                -- of each slot there is one job; triggered jobs have no slot
    KEY {p}job_expires (expires_at),
    UNIQUE KEY {p}job_slot (schedule, slot)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- One narrow table a state.
CREATE TABLE IF NOT EXISTS {p}ready (
    queue   VARCHAR(100) NOT NULL,
    `rank`  INT          NOT NULL,      -- the negative priority
    seq     BIGINT       NOT NULL,
    job     BINARY(16)   NOT NULL,
    awaited BOOLEAN      NOT NULL,
    PRIMARY KEY (queue, `rank`, seq)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE TABLE IF NOT EXISTS {p}scheduled (
    at  BIGINT     NOT NULL,
    job BINARY(16) NOT NULL,
    PRIMARY KEY (at, job)
) ENGINE = InnoDB;
CREATE TABLE IF NOT EXISTS {p}awaiting (
    job    BINARY(16) NOT NULL PRIMARY KEY,
    parent BINARY(16) NOT NULL,
    KEY {p}awaiting_parent (parent)
) ENGINE = InnoDB;
CREATE TABLE IF NOT EXISTS {p}processing (
    job     BINARY(16)   NOT NULL PRIMARY KEY,
    token   BIGINT       NOT NULL,
    server  VARCHAR(255) NOT NULL,
    at      BIGINT       NOT NULL,
    begun   BIGINT       NOT NULL DEFAULT 0,   -- the server said that the run begins; only of jobs lost before
    awaited BOOLEAN      NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE TABLE IF NOT EXISTS {p}succeeded (
    job        BINARY(16)   NOT NULL PRIMARY KEY,
    token      BIGINT       NOT NULL,
    server     VARCHAR(255) NOT NULL,
    claimed_at BIGINT       NOT NULL,
    at         BIGINT       NOT NULL,
    duration   BIGINT       NOT NULL,
    result     LONGTEXT     NOT NULL,
    expires_at BIGINT       NOT NULL,
    KEY {p}succeeded_at (at, job),
    KEY {p}succeeded_expires (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE TABLE IF NOT EXISTS {p}failed (
    at  BIGINT     NOT NULL,
    job BINARY(16) NOT NULL,
    PRIMARY KEY (at, job)
) ENGINE = InnoDB;
CREATE TABLE IF NOT EXISTS {p}deleted (
    at  BIGINT     NOT NULL,
    job BINARY(16) NOT NULL,
    PRIMARY KEY (at, job)
) ENGINE = InnoDB;

-- What a job's rows above don't tell: every move off the usual way.
CREATE TABLE IF NOT EXISTS {p}history (
    seq    BIGINT      NOT NULL AUTO_INCREMENT PRIMARY KEY,
    job    BINARY(16)  NOT NULL,
    state  VARCHAR(20) NOT NULL,
    at     BIGINT      NOT NULL,
    reason TEXT,
    data   LONGTEXT    NOT NULL,
    KEY {p}history_job (job)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Several rows an hour, so that servers don't wait for each other to count.
CREATE TABLE IF NOT EXISTS {p}statistics (
    hour      BIGINT NOT NULL,   -- seconds since 1970
    shard     BIGINT NOT NULL,
    succeeded BIGINT NOT NULL,
    failed    BIGINT NOT NULL,
    deleted   BIGINT NOT NULL,
    PRIMARY KEY (hour, shard)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS {p}server (
    id           VARCHAR(255) NOT NULL PRIMARY KEY,
    started_at   BIGINT       NOT NULL,
    queues       LONGTEXT     NOT NULL,   -- a JSON array
    workers      BIGINT       NOT NULL,
    heartbeat_at BIGINT       NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS {p}schedule (
    id         VARCHAR(200) NOT NULL PRIMARY KEY,
    version    BIGINT       NOT NULL,
    next_run   BIGINT,
    definition LONGTEXT     NOT NULL,   -- what to run when, as JSON
    progress   LONGTEXT     NOT NULL,   -- how far it has come, as JSON
    KEY {p}schedule_due (next_run, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
