-- Who did something to a user's account: the administrator's name at the time.

ALTER TABLE events ADD COLUMN by_name text NOT NULL DEFAULT '';
