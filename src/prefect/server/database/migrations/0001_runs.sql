-- Flows, runs, their states, logs and events: what every flow run writes.
--
-- Tables that the recorder fills have no foreign keys: records may arrive before, or after the end of, what they
-- belong to, and must not be lost for it. Deletes take them along explicitly (prefect.server.models).

CREATE TABLE flow (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    name TEXT NOT NULL UNIQUE,
    tags JSONB NOT NULL,
    labels JSONB NOT NULL
);

CREATE TABLE flow_run (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    name TEXT NOT NULL,
    flow_id UUID NOT NULL REFERENCES flow (id) ON DELETE CASCADE,
    deployment_id UUID,
    deployment_version TEXT,
    work_queue_id UUID,
    work_queue_name TEXT,
    flow_version TEXT,
    parameters JSONB NOT NULL,
    idempotency_key TEXT,
    context JSONB NOT NULL,
    empirical_policy JSONB NOT NULL,
    tags JSONB NOT NULL,
    labels JSONB NOT NULL,
    created_by JSONB,
    parent_task_run_id UUID,
    auto_scheduled BOOLEAN NOT NULL,
    infrastructure_document_id UUID,
    infrastructure_pid TEXT,
    job_variables JSONB,
    state_id UUID,
    state_type TEXT,
    state_name TEXT,
    state_timestamp TIMESTAMPTZ,
    run_count INTEGER NOT NULL,
    expected_start_time TIMESTAMPTZ,
    next_scheduled_start_time TIMESTAMPTZ,
    start_time TIMESTAMPTZ,
    end_time TIMESTAMPTZ,
    total_run_time DOUBLE PRECISION NOT NULL
);
-- Most runs have none of these: rows that an index leaves out cost nothing when they are written.
CREATE UNIQUE INDEX uq_flow_run__idempotency ON flow_run (flow_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX ix_flow_run__deployment ON flow_run (deployment_id) WHERE deployment_id IS NOT NULL;
CREATE INDEX ix_flow_run__parent ON flow_run (parent_task_run_id) WHERE parent_task_run_id IS NOT NULL;
CREATE INDEX ix_flow_run__due ON flow_run (next_scheduled_start_time) WHERE next_scheduled_start_time IS NOT NULL;
CREATE INDEX ix_flow_run__flow ON flow_run (flow_id);
CREATE INDEX ix_flow_run__name ON flow_run (name);
CREATE INDEX ix_flow_run__state ON flow_run (state_type, state_name);
CREATE INDEX ix_flow_run__expected ON flow_run (expected_start_time);

CREATE TABLE flow_run_state (
    id UUID PRIMARY KEY NOT NULL,
    flow_run_id UUID NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
    type TEXT NOT NULL,
    name TEXT NOT NULL,
    timestamp TIMESTAMPTZ NOT NULL,
    message TEXT,
    state_details JSONB NOT NULL,
    data JSONB,
    UNIQUE (flow_run_id, timestamp)
) /* without rowid */;

CREATE TABLE flow_run_input (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    flow_run_id UUID NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    sender TEXT,
    UNIQUE (flow_run_id, key)
);

CREATE TABLE task_run (
    id UUID NOT NULL PRIMARY KEY,
    created TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    name TEXT NOT NULL,
    flow_run_id UUID,
    task_key TEXT NOT NULL,
    dynamic_key TEXT NOT NULL,
    task_version TEXT,
    cache_key TEXT,
    cache_expiration TIMESTAMPTZ,
    empirical_policy JSONB NOT NULL,
    task_inputs JSONB NOT NULL,
    tags JSONB NOT NULL,
    labels JSONB NOT NULL,
    flow_run_run_count INTEGER NOT NULL,
    state_id UUID,
    state_type TEXT,
    state_name TEXT,
    state_timestamp TIMESTAMPTZ,
    run_count INTEGER NOT NULL,
    expected_start_time TIMESTAMPTZ,
    next_scheduled_start_time TIMESTAMPTZ,
    start_time TIMESTAMPTZ,
    end_time TIMESTAMPTZ,
    total_run_time DOUBLE PRECISION NOT NULL
) /* without rowid */;
CREATE UNIQUE INDEX uq_task_run__identity ON task_run (flow_run_id, task_key, dynamic_key);

CREATE TABLE task_run_state (
    id UUID NOT NULL PRIMARY KEY,
    task_run_id UUID NOT NULL,
    type TEXT NOT NULL,
    name TEXT NOT NULL,
    timestamp TIMESTAMPTZ NOT NULL,
    message TEXT,
    state_details JSONB NOT NULL,
    data JSONB
) /* without rowid */;
CREATE INDEX ix_task_run_state__history ON task_run_state (task_run_id, timestamp);

CREATE TABLE task_run_state_cache (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    cache_key TEXT NOT NULL,
    cache_expiration TIMESTAMPTZ,
    task_run_state_id UUID NOT NULL
);
CREATE INDEX ix_task_run_state_cache__key ON task_run_state_cache (cache_key, created);

CREATE TABLE log (
    id UUID NOT NULL PRIMARY KEY,
    created TIMESTAMPTZ NOT NULL,
    name TEXT NOT NULL,
    level INTEGER NOT NULL,
    timestamp TIMESTAMPTZ NOT NULL,
    message TEXT NOT NULL,
    flow_run_id UUID,
    task_run_id UUID
) /* without rowid */;
CREATE INDEX ix_log__flow_run ON log (flow_run_id, timestamp);
CREATE INDEX ix_log__task_run ON log (task_run_id, timestamp) WHERE task_run_id IS NOT NULL;

-- The related resources of an event are stored once a set: thousands of events of one flow run share theirs.
-- id is the first 128 bits of the SHA-256 of `resources`, so that storing a set again is a no-op.
CREATE TABLE event_related_set (
    id UUID NOT NULL PRIMARY KEY,
    resources JSONB NOT NULL
) /* without rowid */;

CREATE TABLE event_related (
    resource_id TEXT NOT NULL,
    set_id UUID NOT NULL,
    position INTEGER NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (resource_id, set_id, position)
) /* without rowid */;

-- The event of a task run's transition has the id of its state; its resource and payload are NULL and are made from
-- that state when it is read (prefect.server.models.events).
CREATE TABLE event (
    id UUID NOT NULL PRIMARY KEY,
    occurred TIMESTAMPTZ NOT NULL,
    received TIMESTAMPTZ NOT NULL,
    event TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    resource JSONB,
    related_set_id UUID,
    payload JSONB,
    follows UUID
) /* without rowid */;
CREATE INDEX ix_event__occurred ON event (occurred);
CREATE INDEX ix_event__resource ON event (resource_id, occurred);
