-- Who runs a flow run right now, and until when that is believed. A process renews what it holds; when it has died, its
-- runs are found here and end as crashed.

CREATE TABLE flow_run_lease (
    flow_run_id UUID NOT NULL PRIMARY KEY REFERENCES flow_run (id) ON DELETE CASCADE,
    holder TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX ix_flow_run_lease__holder ON flow_run_lease (holder);
CREATE INDEX ix_flow_run_lease__expiry ON flow_run_lease (expires_at);
