-- Locks that programs hold.
CREATE TABLE {p}named_lock (
    name       VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
    owner      VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    held_until BIGINT NOT NULL
) ENGINE = InnoDB;
CREATE INDEX named_lock_until ON {p}named_lock (held_until);
