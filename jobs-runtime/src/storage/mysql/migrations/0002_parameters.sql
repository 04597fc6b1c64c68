ALTER TABLE {p}job ADD COLUMN parameters LONGTEXT COLLATE utf8mb4_bin;   -- a JSON object; none is NULL
