-- Who runs a task run that no flow run's process answers for: one outside of flows, or one that a task worker has taken.
-- As flow_run_lease; without a reference to task_run, so that nothing else that happens to task runs pays for it. A lease
-- whose run is gone is forgotten when it is renewed, or when it is over.

CREATE TABLE task_run_lease (
    task_run_id UUID NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX ix_task_run_lease__holder ON task_run_lease (holder);
CREATE INDEX ix_task_run_lease__expiry ON task_run_lease (expires_at);
