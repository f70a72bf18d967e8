-- API keys, and the trail of what was asked of the server.

-- The key itself is nowhere: `key_hash` is its SHA-256, which tells nothing about 256 random bits. Revoked keys stay,
-- so that a server that has asked for keys goes on to ask for them.
CREATE TABLE api_key (
    id UUID PRIMARY KEY NOT NULL,
    created TIMESTAMPTZ NOT NULL,
    name TEXT NOT NULL,
    key_hash TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    sees_secrets BOOLEAN NOT NULL,
    expires_at TIMESTAMPTZ,
    last_used_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX uq_api_key__name ON api_key (name) WHERE revoked_at IS NULL;

-- No reference to the key: the trail outlives it.
CREATE TABLE audit_entry (
    id UUID PRIMARY KEY NOT NULL,
    occurred TIMESTAMPTZ NOT NULL,
    actor TEXT,
    api_key_id UUID,
    method TEXT NOT NULL,
    route TEXT,
    path TEXT NOT NULL,
    status INTEGER NOT NULL,
    client TEXT
);
CREATE INDEX ix_audit_entry__occurred ON audit_entry (occurred);
