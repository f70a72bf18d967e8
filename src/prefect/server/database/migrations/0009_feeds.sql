-- What a websocket of events or logs follows: rows in the order in which they were stored (prefect.server.models.feeds).

-- only: postgresql
-- Instants do not tell which of two transactions was committed first; their numbers together with snapshots do. Rows
-- from before have none: nobody follows the past.
ALTER TABLE event ADD COLUMN stored xid8;
ALTER TABLE event ALTER COLUMN stored SET DEFAULT pg_current_xact_id();
CREATE INDEX ix_event__stored ON event (stored) WHERE stored IS NOT NULL;
ALTER TABLE log ADD COLUMN stored xid8;
ALTER TABLE log ALTER COLUMN stored SET DEFAULT pg_current_xact_id();
CREATE INDEX ix_log__stored ON log (stored) WHERE stored IS NOT NULL;
-- end

-- only: sqlite
-- Writing transactions take turns, and take their instant when it is theirs: it orders them.
CREATE INDEX ix_event__received ON event (received);
CREATE INDEX ix_log__created ON log (created);
-- end
