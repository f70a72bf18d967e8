-- Variables, artifacts, blocks, concurrency limits with their leases, saved searches, and the server's own configuration.
--
-- JSON that no statement looks into is TEXT: it keeps its key order, and may hold any character that JSON can escape.

CREATE TABLE configuration (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    key TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL
);

CREATE TABLE saved_search (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    name TEXT NOT NULL UNIQUE,
    filters TEXT NOT NULL
);

CREATE TABLE variable (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    name TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL,
    tags JSONB NOT NULL
);

-- Runs are not referred to by foreign keys: a task run may be recorded after the artifact that it made.
CREATE TABLE artifact (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    key TEXT,
    type TEXT,
    description TEXT,
    data TEXT,
    metadata_ TEXT,
    flow_run_id UUID,
    task_run_id UUID
);
CREATE INDEX ix_artifact__key ON artifact (key, created) WHERE key IS NOT NULL;
CREATE INDEX ix_artifact__flow_run ON artifact (flow_run_id) WHERE flow_run_id IS NOT NULL;
CREATE INDEX ix_artifact__task_run ON artifact (task_run_id) WHERE task_run_id IS NOT NULL;

-- Which artifact of a key is the newest; everything else about it is read from the artifact itself.
CREATE TABLE artifact_collection (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    key TEXT NOT NULL UNIQUE,
    latest_id UUID NOT NULL
);
CREATE INDEX ix_artifact_collection__latest ON artifact_collection (latest_id);

CREATE TABLE block_type (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    name TEXT NOT NULL,
    slug TEXT NOT NULL UNIQUE,
    logo_url TEXT,
    documentation_url TEXT,
    description TEXT,
    code_example TEXT,
    is_protected BOOLEAN NOT NULL
);

CREATE TABLE block_schema (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    checksum TEXT NOT NULL,
    version TEXT NOT NULL,
    fields TEXT NOT NULL,
    capabilities JSONB NOT NULL,
    block_type_id UUID NOT NULL REFERENCES block_type (id) ON DELETE CASCADE,
    UNIQUE (checksum, version)
);
CREATE INDEX ix_block_schema__type ON block_schema (block_type_id, created);

-- `data` is an encrypted token (prefect.server.encryption).
CREATE TABLE block_document (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    name TEXT NOT NULL,
    data TEXT NOT NULL,
    is_anonymous BOOLEAN NOT NULL,
    block_type_id UUID NOT NULL REFERENCES block_type (id) ON DELETE CASCADE,
    block_schema_id UUID NOT NULL REFERENCES block_schema (id) ON DELETE CASCADE,
    UNIQUE (block_type_id, name)
);
CREATE INDEX ix_block_document__schema ON block_document (block_schema_id);
CREATE INDEX ix_block_document__name ON block_document (name);

-- `name` is the key of the parent's data under which the other document stands.
CREATE TABLE block_document_reference (
    parent_block_document_id UUID NOT NULL REFERENCES block_document (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    reference_block_document_id UUID NOT NULL REFERENCES block_document (id) ON DELETE CASCADE,
    PRIMARY KEY (parent_block_document_id, name)
);
CREATE INDEX ix_block_document_reference__target ON block_document_reference (reference_block_document_id);

-- A document that was renamed is still found by the names that it had.
CREATE TABLE block_document_former_name (
    block_type_id UUID NOT NULL REFERENCES block_type (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    block_document_id UUID NOT NULL REFERENCES block_document (id) ON DELETE CASCADE,
    PRIMARY KEY (block_type_id, name)
);
CREATE INDEX ix_block_document_former_name__document ON block_document_former_name (block_document_id);

-- Slots of a limit with decay come free one by one: `slots_at` is the instant, in seconds since the epoch, up to which
-- `active_slots` has been thinned out. `denied_slots` is demand that found no slot, as of `denied_at`.
CREATE TABLE concurrency_limit (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    updated TIMESTAMPTZ NOT NULL,
    name TEXT NOT NULL UNIQUE,
    slot_limit INTEGER NOT NULL,
    active BOOLEAN NOT NULL,
    active_slots INTEGER NOT NULL,
    slot_decay_per_second DOUBLE PRECISION NOT NULL,
    avg_slot_occupancy_seconds DOUBLE PRECISION NOT NULL,
    denied_slots INTEGER NOT NULL,
    slots_at DOUBLE PRECISION NOT NULL,
    denied_at DOUBLE PRECISION NOT NULL
);

CREATE TABLE concurrency_lease (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    expiration TIMESTAMPTZ NOT NULL,
    holder_type TEXT,
    holder_id UUID
);
CREATE INDEX ix_concurrency_lease__expiration ON concurrency_lease (expiration);
CREATE INDEX ix_concurrency_lease__holder ON concurrency_lease (holder_id) WHERE holder_id IS NOT NULL;

-- The slots that a lease holds: as many of each of its limits as are written here, until the row is gone.
CREATE TABLE concurrency_lease_slot (
    lease_id UUID NOT NULL REFERENCES concurrency_lease (id) ON DELETE CASCADE,
    limit_id UUID NOT NULL REFERENCES concurrency_limit (id) ON DELETE CASCADE,
    slots INTEGER NOT NULL,
    PRIMARY KEY (lease_id, limit_id)
) /* without rowid */;
CREATE INDEX ix_concurrency_lease_slot__limit ON concurrency_lease_slot (limit_id);
