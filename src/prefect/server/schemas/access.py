"""Who may do what on a server: roles, API keys, and the trail that requests leave."""

from __future__ import annotations

from enum import Enum
from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator
from typing_extensions import Self

from prefect.client.schemas._base import ActionBaseModel, PrefectBaseModel
from prefect.types import DateTime

__all__ = ["ApiKey", "ApiKeyCreate", "ApiKeyCreated", "AuditEntry", "Role"]


class Role(str, Enum):
    """What the holder of a credential may do; each role may do what those before it may.

    Attributes:
        VIEWER: Read everything but secrets.
        OPERATOR: Run everything: change runs, deployments, pools, variables, blocks.
        ADMIN: Everything, secrets, API keys and the server's settings included.
    """

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether whoever has this role may do what needs the other one."""
        return _ORDER[self] >= _ORDER[other]


_ORDER = {role: rank for rank, role in enumerate(Role)}


class ApiKeyCreate(ActionBaseModel):
    """A wish for a new key.

    Attributes:
        name: How people tell it from the others; unique among the keys that are not revoked.
        sees_secrets: Whether it may read the secrets of blocks. An admin always may, a viewer never.
        expires_at: From when on it is no longer good; None: it is until it is revoked.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,99}$")]
    role: Role
    sees_secrets: bool = False
    expires_at: DateTime | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.role is Role.VIEWER and self.sees_secrets:
            raise ValueError("a viewer cannot see secrets; give the key the role operator or admin")
        return self


class ApiKey(PrefectBaseModel):
    """A key as everybody may know it: the key itself is not stored.

    Attributes:
        last_used_at: When it was last used, to the minute.
        revoked_at: From when on it was not accepted any more; None while it is.
    """

    id: UUID
    name: str
    role: Role
    sees_secrets: bool
    created: DateTime
    expires_at: DateTime | None = None
    last_used_at: DateTime | None = None
    revoked_at: DateTime | None = None


class ApiKeyCreated(ApiKey):
    """A new key, with the key itself, which nobody will be told again."""

    key: str


class AuditEntry(PrefectBaseModel):
    """A request that somebody made.

    Attributes:
        actor: The name of the key, "auth string" for the server's password, None for nobody known.
        route: The path with names in the place of values; None where there is no such route.
        path: The path as it was asked for, without the query.
        client: The address from which the request came.
    """

    id: UUID
    occurred: DateTime
    actor: str | None
    api_key_id: UUID | None
    method: str
    route: str | None
    path: str
    status: int
    client: str | None
