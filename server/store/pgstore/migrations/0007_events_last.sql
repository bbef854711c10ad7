-- Nodes ask each other's events for what is new, of those that stand for several too.

CREATE INDEX events_last ON events (organisation, last) WHERE last IS NOT NULL;
