ALTER TABLE {p}job ADD COLUMN parameters TEXT;   -- a JSON object; none is NULL
