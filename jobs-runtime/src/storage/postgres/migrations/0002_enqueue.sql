-- Stores a job as the Rust client does, for programs in other languages: docs/other-languages.md has the details.
-- A parameter that is NULL is as if it were left out. Rights are those of the caller.
CREATE FUNCTION {p}enqueue(
    type         TEXT,
    method       TEXT,
    arguments    JSONB,
    queue        TEXT        DEFAULT 'default',
    priority     INTEGER     DEFAULT 0,
    run_at       TIMESTAMPTZ DEFAULT NULL,   -- NULL or past: at once
    max_attempts INTEGER     DEFAULT NULL,   -- how often it is retried; NULL: as often as the job says
    id           UUID        DEFAULT NULL    -- NULL: a new one; a job that is there already is left as it is
) RETURNS UUID
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    moment BIGINT  := extract(epoch FROM clock_timestamp()) * 1000000;
    later  BOOLEAN := COALESCE(run_at > clock_timestamp(), false);
    due    BIGINT;
    seq    BIGINT;
    error  TEXT;
BEGIN
    queue := COALESCE(queue, 'default');
    priority := COALESCE(priority, 0);
    error := CASE
        WHEN (octet_length(type) BETWEEN 1 AND 200 AND octet_length(method) BETWEEN 1 AND 200) IS NOT TRUE
            THEN format('`%s.%s` is not a job name: type and method have 1 to 200 bytes each', type, method)
        WHEN (jsonb_typeof(arguments) = 'object') IS NOT TRUE
            THEN format('the arguments of `%s.%s` must be a JSON object that has a member for each, and not `%s`',
                        type, method, COALESCE(left(arguments::text, 200), 'NULL'))
        WHEN queue COLLATE "C" !~ '^[a-z0-9_-]{1,100}$'
            THEN format('invalid queue name `%s`: use 1 to 100 characters of `a-z`, `0-9`, `_` and `-`', queue)
        WHEN priority NOT BETWEEN -32768 AND 32767
            THEN format('priority %s is out of range: it is from -32768 to 32767', priority)
        WHEN max_attempts < 0
            THEN format('max_attempts %s is less than zero', max_attempts)
        WHEN run_at >= '9999-12-31 23:59:59+00'
            THEN format('run_at %s is too late: it is before the end of the year 9999', run_at)
    END;
    IF error IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = error;
    END IF;

    IF id IS NULL THEN
        -- A UUID of version 7, so that lists of all jobs are in the order of their making.
        id := encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
            PLACING substring(int8send(moment / 1000) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1), 'hex');
    END IF;
    IF later THEN
        due := extract(epoch FROM run_at) * 1000000;
    ELSE
        seq := nextval('{p}place');
    END IF;

    INSERT INTO {p}job (id, type, method, arguments, queue, priority, max_attempts, created_at, due_at,
                        state, state_at, place, spent, lost)
    VALUES (enqueue.id, enqueue.type, enqueue.method, enqueue.arguments::text, enqueue.queue, enqueue.priority,
            enqueue.max_attempts, moment, due,
            CASE WHEN later THEN 'scheduled' ELSE 'enqueued' END, moment, COALESCE(due, seq), 0, 0)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN id;
    END IF;
    IF later THEN
        INSERT INTO {p}scheduled (at, job) VALUES (due, enqueue.id);
    ELSE
        INSERT INTO {p}ready (queue, rank, seq, job, awaited)
        VALUES (enqueue.queue, -enqueue.priority, seq, enqueue.id, false);
    END IF;
    -- Wakes servers when the transaction is committed, as `notify.rs` does: bits 1 for Enqueued, 2 for Scheduled.
    PERFORM pg_notify('jobs_' || rtrim('{p}', '.'), CASE WHEN later THEN 'sql 2' ELSE 'sql 1' END);
    RETURN id;
END
$$;
