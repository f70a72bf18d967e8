-- Work pools, their queues, and the workers that serve them.
--
-- Flow runs and deployments outlive their queue, and read as ones without a queue then: nothing is written to them when
-- it goes. A worker's status follows from its last heartbeat and is not stored.

CREATE TABLE work_pool (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    type TEXT NOT NULL,
    base_job_template TEXT NOT NULL,
    is_paused BOOLEAN NOT NULL,
    concurrency_limit INTEGER,
    status TEXT NOT NULL,
    default_queue_id UUID NOT NULL,
    storage_configuration TEXT NOT NULL
);

-- No two queues of a pool have the same priority; whoever changes one holds the row of the pool.
CREATE TABLE work_queue (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    work_pool_id UUID NOT NULL REFERENCES work_pool (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    is_paused BOOLEAN NOT NULL,
    concurrency_limit INTEGER,
    priority INTEGER NOT NULL,
    filter TEXT,
    last_polled TIMESTAMPTZ,
    status TEXT NOT NULL,
    UNIQUE (work_pool_id, name)
);
CREATE INDEX ix_work_queue__name ON work_queue (name);

CREATE TABLE worker (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    work_pool_id UUID NOT NULL REFERENCES work_pool (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    last_heartbeat_time TIMESTAMPTZ NOT NULL,
    heartbeat_interval_seconds INTEGER,
    UNIQUE (work_pool_id, name)
);

-- Which runs of a queue are due next, and which hold its slots. Runs without a queue are not in it.
CREATE INDEX ix_flow_run__queue ON flow_run (work_queue_id, state_type, next_scheduled_start_time)
    WHERE work_queue_id IS NOT NULL;
