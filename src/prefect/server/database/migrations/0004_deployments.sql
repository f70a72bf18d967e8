-- Deployments and their schedules.
--
-- What runs are made of is of the types that they have it in: a run that cannot be stored would stop the scheduler. Other
-- JSON is TEXT, as in 0002. `work_queue_id` has no foreign key: a deployment outlives its
-- queue, and reads as one without a queue then.

CREATE TABLE deployment (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    flow_id UUID NOT NULL REFERENCES flow (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    version TEXT,
    description TEXT,
    path TEXT,
    entrypoint TEXT,
    tags JSONB NOT NULL,
    labels JSONB NOT NULL,
    parameters JSONB NOT NULL,
    parameter_openapi_schema TEXT,
    enforce_parameter_schema BOOLEAN NOT NULL,
    pull_steps TEXT,
    job_variables TEXT NOT NULL,
    paused BOOLEAN NOT NULL,
    status TEXT NOT NULL,
    last_polled TIMESTAMPTZ,
    work_queue_id UUID,
    storage_document_id UUID REFERENCES block_document (id) ON DELETE CASCADE,
    infrastructure_document_id UUID REFERENCES block_document (id) ON DELETE CASCADE,
    concurrency_limit_id UUID REFERENCES concurrency_limit (id) ON DELETE SET NULL,
    concurrency_options TEXT,
    created_by TEXT,
    updated_by TEXT,
    UNIQUE (flow_id, name)
);
CREATE INDEX ix_deployment__name ON deployment (name);
CREATE INDEX ix_deployment__updated ON deployment (updated);
CREATE INDEX ix_deployment__work_queue ON deployment (work_queue_id) WHERE work_queue_id IS NOT NULL;
CREATE INDEX ix_deployment__storage ON deployment (storage_document_id) WHERE storage_document_id IS NOT NULL;
CREATE INDEX ix_deployment__infrastructure ON deployment (infrastructure_document_id)
    WHERE infrastructure_document_id IS NOT NULL;
CREATE INDEX ix_deployment__limit ON deployment (concurrency_limit_id) WHERE concurrency_limit_id IS NOT NULL;

CREATE TABLE deployment_schedule (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    deployment_id UUID NOT NULL REFERENCES deployment (id) ON DELETE CASCADE,
    schedule TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    max_scheduled_runs INTEGER,
    parameters JSONB NOT NULL,
    slug TEXT,
    UNIQUE (deployment_id, slug)
);

-- What schedules have made and nothing has started: the scheduler counts these, and few of all runs are among them.
CREATE INDEX ix_flow_run__auto_scheduled ON flow_run (deployment_id, next_scheduled_start_time)
    WHERE auto_scheduled AND state_type = 'SCHEDULED';
