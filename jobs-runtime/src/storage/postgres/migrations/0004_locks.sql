-- Locks that programs hold.
CREATE TABLE {p}named_lock (
    name       TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    owner      TEXT   NOT NULL,
    held_until BIGINT NOT NULL
);
CREATE INDEX named_lock_until ON {p}named_lock (held_until);
