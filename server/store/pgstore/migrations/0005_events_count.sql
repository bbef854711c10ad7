-- An event may stand for several: how many, and when the last one was.

ALTER TABLE events ADD COLUMN count bigint NOT NULL DEFAULT 0, ADD COLUMN last timestamptz;
