"""The routes of API keys and of the audit trail, for admins."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from prefect.server.database.store import Transaction
from prefect.server.models import api_keys, audit
from prefect.server.routes._pages import checked_limit
from prefect.server.routes._table import ABSENT, Whole, route
from prefect.server.schemas.access import ApiKey, ApiKeyCreate, ApiKeyCreated, AuditEntry

_KEYS = ("API keys",)
_AUDIT = ("Audit",)


@route("POST", "/api_keys/", status=201, tags=_KEYS)
def create_api_key(tx: Transaction, api_key: Whole[ApiKeyCreate]) -> ApiKeyCreated:
    """Make an API key; the answer is the only place where it can be seen."""
    return api_keys.create_api_key(tx, api_key)


@route("POST", "/api_keys/filter", writes=False, tags=_KEYS)
def read_api_keys(
    tx: Transaction,
    include_revoked: bool = False,
    limit: int = ABSENT,
    offset: Annotated[int, Field(ge=0)] = 0,
) -> list[ApiKey]:
    """Read the API keys, by name."""
    return api_keys.read_api_keys(tx, include_revoked=include_revoked, limit=checked_limit(limit), offset=offset)


@route("DELETE", "/api_keys/name/{name}", status=204, tags=_KEYS)
def revoke_api_key(tx: Transaction, name: str) -> None:
    """Revoke an API key: it opens nothing any more."""
    api_keys.revoke_api_key(tx, name)


@route("POST", "/audit/filter", writes=False, tags=_AUDIT)
def read_audit_entries(
    tx: Transaction,
    actor: str | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    limit: int = ABSENT,
    offset: Annotated[int, Field(ge=0)] = 0,
) -> list[AuditEntry]:
    """Read the audit trail, the newest entry first."""
    return audit.read_audit_entries(
        tx, actor=actor, since=since, until=until, limit=checked_limit(limit), offset=offset
    )
