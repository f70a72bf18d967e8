-- Automations, and the resources that they have to do with.
--
-- `definition` holds what the automation waits for and what it does; nothing looks into it but the code that does it.

CREATE TABLE automation (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    name TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    tags JSONB NOT NULL,
    definition TEXT NOT NULL
);
CREATE INDEX ix_automation__name ON automation (name);
CREATE INDEX ix_automation__updated ON automation (updated);

-- The resource that owns an automation, and those that its actions name.
CREATE TABLE automation_resource (
    automation_id UUID NOT NULL REFERENCES automation (id) ON DELETE CASCADE,
    resource_id TEXT NOT NULL,
    is_owner BOOLEAN NOT NULL,
    PRIMARY KEY (automation_id, resource_id)
);
CREATE INDEX ix_automation_resource__resource ON automation_resource (resource_id);

-- The text of a user may hold the character NUL, which JSONB cannot, and whole numbers of any size, which it rewrites.
-- What no statement looks into is TEXT; tags, the labels of events' resources, policies and creators stay what they are.
-- only: postgresql
ALTER TABLE flow ALTER COLUMN labels TYPE TEXT;
ALTER TABLE flow_run ALTER COLUMN parameters TYPE TEXT, ALTER COLUMN context TYPE TEXT,
    ALTER COLUMN labels TYPE TEXT, ALTER COLUMN job_variables TYPE TEXT;
ALTER TABLE flow_run_state ALTER COLUMN state_details TYPE TEXT, ALTER COLUMN data TYPE TEXT;
ALTER TABLE task_run ALTER COLUMN empirical_policy TYPE TEXT, ALTER COLUMN task_inputs TYPE TEXT,
    ALTER COLUMN labels TYPE TEXT;
ALTER TABLE task_run_state ALTER COLUMN state_details TYPE TEXT, ALTER COLUMN data TYPE TEXT;
ALTER TABLE event ALTER COLUMN payload TYPE TEXT;
ALTER TABLE deployment ALTER COLUMN labels TYPE TEXT, ALTER COLUMN parameters TYPE TEXT;
ALTER TABLE deployment_schedule ALTER COLUMN parameters TYPE TEXT;
-- end
