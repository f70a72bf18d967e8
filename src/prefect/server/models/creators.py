"""Who made something, when that is not a person: automations say so in their requests, schedules are known."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from prefect.client.schemas.objects import CreatedBy


class Asker(Protocol):
    """What a request tells about its sender."""

    @property
    def automation_id(self) -> UUID | None: ...
    @property
    def automation_name(self) -> str | None: ...


def creator(asker: Asker) -> CreatedBy | None:
    """The automation on whose behalf a request is made, if there is one."""
    if asker.automation_id is None or asker.automation_name is None:
        return None
    return CreatedBy(id=asker.automation_id, type="AUTOMATION", display_value=asker.automation_name)
