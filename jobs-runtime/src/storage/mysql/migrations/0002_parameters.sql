ALTER TABLE {p}job ADD COLUMN parameters MEDIUMTEXT COLLATE utf8mb4_bin;   -- a JSON object; none is NULL
