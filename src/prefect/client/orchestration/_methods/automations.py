"""Methods of both clients. Written by scripts/generate_clients.py; change the call functions instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.client._calls import automations as _calls
from prefect.client.orchestration.base import BaseAsyncClient, BaseClient

if TYPE_CHECKING:
    from uuid import UUID


class AutomationClient(BaseClient):
    """Methods of the sync client."""

    def create_automation(self, automation: Any) -> UUID:
        """Create an automation."""
        return self.send(_calls.create_automation(automation))

    def delete_automation(self, automation_id: UUID) -> None:
        """Delete an automation."""
        return self.send(_calls.delete_automation(automation_id))

    def delete_resource_owned_automations(self, resource_id: str) -> None:
        """Delete the automations that belong to a resource."""
        return self.send(_calls.delete_resource_owned_automations(resource_id))

    def find_automation(self, id_or_name: str | UUID) -> Any:
        """Read an automation by its id or its name, which may be written in other case; None when there is none."""
        return self._follow(_calls.find_automation(id_or_name))

    def pause_automation(self, automation_id: UUID) -> None:
        """Disable an automation."""
        return self.send(_calls.pause_automation(automation_id))

    def read_automation(self, automation_id: UUID) -> Any:
        """Read an automation; None when there is none."""
        return self.send(_calls.read_automation(automation_id))

    def read_automations(
        self, *, automations: Any = None, sort: Any = None, limit: int | None = None, offset: int = 0
    ) -> list[Any]:
        """Read automations."""
        return self.send(_calls.read_automations(automations=automations, sort=sort, limit=limit, offset=offset))

    def read_automations_by_name(self, name: str) -> list[Any]:
        """Read the automations of a name."""
        return self.send(_calls.read_automations_by_name(name))

    def read_resource_related_automations(self, resource_id: str) -> list[Any]:
        """Read the automations that concern a resource."""
        return self.send(_calls.read_resource_related_automations(resource_id))

    def resume_automation(self, automation_id: UUID) -> None:
        """Enable an automation."""
        return self.send(_calls.resume_automation(automation_id))

    def update_automation(self, automation_id: UUID, automation: Any) -> None:
        """Replace an automation."""
        return self.send(_calls.update_automation(automation_id, automation))


class AutomationAsyncClient(BaseAsyncClient):
    """Methods of the async client."""

    async def create_automation(self, automation: Any) -> UUID:
        """Create an automation."""
        return await self.send(_calls.create_automation(automation))

    async def delete_automation(self, automation_id: UUID) -> None:
        """Delete an automation."""
        return await self.send(_calls.delete_automation(automation_id))

    async def delete_resource_owned_automations(self, resource_id: str) -> None:
        """Delete the automations that belong to a resource."""
        return await self.send(_calls.delete_resource_owned_automations(resource_id))

    async def find_automation(self, id_or_name: str | UUID) -> Any:
        """Read an automation by its id or its name, which may be written in other case; None when there is none."""
        return await self._follow(_calls.find_automation(id_or_name))

    async def pause_automation(self, automation_id: UUID) -> None:
        """Disable an automation."""
        return await self.send(_calls.pause_automation(automation_id))

    async def read_automation(self, automation_id: UUID) -> Any:
        """Read an automation; None when there is none."""
        return await self.send(_calls.read_automation(automation_id))

    async def read_automations(
        self, *, automations: Any = None, sort: Any = None, limit: int | None = None, offset: int = 0
    ) -> list[Any]:
        """Read automations."""
        return await self.send(_calls.read_automations(automations=automations, sort=sort, limit=limit, offset=offset))

    async def read_automations_by_name(self, name: str) -> list[Any]:
        """Read the automations of a name."""
        return await self.send(_calls.read_automations_by_name(name))

    async def read_resource_related_automations(self, resource_id: str) -> list[Any]:
        """Read the automations that concern a resource."""
        return await self.send(_calls.read_resource_related_automations(resource_id))

    async def resume_automation(self, automation_id: UUID) -> None:
        """Enable an automation."""
        return await self.send(_calls.resume_automation(automation_id))

    async def update_automation(self, automation_id: UUID, automation: Any) -> None:
        """Replace an automation."""
        return await self.send(_calls.update_automation(automation_id, automation))
