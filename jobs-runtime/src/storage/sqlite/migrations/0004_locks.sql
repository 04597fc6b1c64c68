-- Locks that programs hold.
CREATE TABLE {p}named_lock (
    name       TEXT    NOT NULL PRIMARY KEY,
    owner      TEXT    NOT NULL,
    held_until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX {p}named_lock_until ON {p}named_lock (held_until);
