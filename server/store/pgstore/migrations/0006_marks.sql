-- Which browser it was, by a hash of a cookie that it keeps.

ALTER TABLE events ADD COLUMN mark text NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN mark text NOT NULL DEFAULT '';
