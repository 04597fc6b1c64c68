-- Which schedule made a job, and for which slot: of each slot there is one job. Triggered jobs have no slot.
ALTER TABLE {p}job ADD COLUMN schedule TEXT;
ALTER TABLE {p}job ADD COLUMN slot INTEGER;
CREATE UNIQUE INDEX {p}job_slot ON {p}job (schedule, slot) WHERE schedule IS NOT NULL;

CREATE TABLE {p}schedule (
    id         TEXT    NOT NULL PRIMARY KEY,
    version    INTEGER NOT NULL,
    next_run   INTEGER,
    definition TEXT    NOT NULL,   -- what to run when, as JSON
    progress   TEXT    NOT NULL    -- how far it has come, as JSON
) WITHOUT ROWID;
CREATE INDEX {p}schedule_due ON {p}schedule (next_run, id) WHERE next_run IS NOT NULL;
