"""Methods of both clients. Written by scripts/generate_clients.py; change the call functions instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.client._calls import concurrency_limits as _calls
from prefect.client.orchestration.base import BaseAsyncClient, BaseClient

if TYPE_CHECKING:
    from uuid import UUID

    import httpx

    from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, GlobalConcurrencyLimitUpdate
    from prefect.client.schemas.objects import ConcurrencyLimit
    from prefect.client.schemas.responses import (
        GlobalConcurrencyLimitResponse,
    )


class ConcurrencyLimitClient(BaseClient):
    """Methods of the sync client."""

    def create_concurrency_limit(self, tag: str, concurrency_limit: int) -> UUID:
        """Limit how many task runs of a tag run at once."""
        return self.send(_calls.create_concurrency_limit(tag, concurrency_limit))

    def create_global_concurrency_limit(self, concurrency_limit: GlobalConcurrencyLimitCreate) -> UUID:
        """Create a global limit."""
        return self.send(_calls.create_global_concurrency_limit(concurrency_limit))

    def decrement_v1_concurrency_slots(
        self, names: list[str], task_run_id: UUID, occupancy_seconds: float
    ) -> httpx.Response:
        """Give the slots of a task run back."""
        return self._respond(_calls.decrement_v1_concurrency_slots(names, task_run_id, occupancy_seconds))

    def delete_concurrency_limit_by_tag(self, tag: str) -> None:
        """Delete the limit of a tag."""
        return self.send(_calls.delete_concurrency_limit_by_tag(tag))

    def delete_global_concurrency_limit_by_name(self, name: str) -> httpx.Response:
        """Delete a global limit."""
        return self._respond(_calls.delete_global_concurrency_limit_by_name(name))

    def increment_concurrency_slots(self, names: list[str], slots: int, mode: str) -> httpx.Response:
        """Take slots of each named limit, of all or of none."""
        return self._respond(_calls.increment_concurrency_slots(names, slots, mode))

    def increment_concurrency_slots_with_lease(
        self, names: list[str], slots: int, mode: str, lease_duration: float, holder: Any = None
    ) -> httpx.Response:
        """Take slots under a lease that ends by itself unless it is renewed."""
        return self._respond(_calls.increment_concurrency_slots_with_lease(names, slots, mode, lease_duration, holder))

    def increment_v1_concurrency_slots(self, names: list[str], task_run_id: UUID) -> httpx.Response:
        """Take one slot of each tag for a task run."""
        return self._respond(_calls.increment_v1_concurrency_slots(names, task_run_id))

    def read_concurrency_limit_by_tag(self, tag: str) -> ConcurrencyLimit:
        """Read the limit of a tag."""
        return self.send(_calls.read_concurrency_limit_by_tag(tag))

    def read_concurrency_limits(self, limit: int, offset: int) -> list[ConcurrencyLimit]:
        """Read the limits of tags."""
        return self.send(_calls.read_concurrency_limits(limit, offset))

    def read_global_concurrency_limit_by_name(self, name: str) -> GlobalConcurrencyLimitResponse:
        """Read a global limit."""
        return self.send(_calls.read_global_concurrency_limit_by_name(name))

    def read_global_concurrency_limits(self, limit: int = 10, offset: int = 0) -> list[GlobalConcurrencyLimitResponse]:
        """Read global limits."""
        return self.send(_calls.read_global_concurrency_limits(limit, offset))

    def release_concurrency_slots(self, names: list[str], slots: int, occupancy_seconds: float) -> httpx.Response:
        """Give slots back."""
        return self._respond(_calls.release_concurrency_slots(names, slots, occupancy_seconds))

    def release_concurrency_slots_with_lease(self, lease_id: UUID) -> httpx.Response:
        """Give the slots of a lease back."""
        return self._respond(_calls.release_concurrency_slots_with_lease(lease_id))

    def renew_concurrency_lease(self, lease_id: UUID, lease_duration: float) -> httpx.Response:
        """Make a lease last longer."""
        return self._respond(_calls.renew_concurrency_lease(lease_id, lease_duration))

    def reset_concurrency_limit_by_tag(self, tag: str, slot_override: Any = None) -> None:
        """Free all slots of a tag, or give them to the task runs named."""
        return self.send(_calls.reset_concurrency_limit_by_tag(tag, slot_override))

    def update_global_concurrency_limit(
        self, name: str, concurrency_limit: GlobalConcurrencyLimitUpdate
    ) -> httpx.Response:
        """Change a global limit."""
        return self._respond(_calls.update_global_concurrency_limit(name, concurrency_limit))

    def upsert_global_concurrency_limit_by_name(
        self, name: str, limit: int, slot_decay_per_second: float | None = None
    ) -> None:
        """Create a global limit, or change the one of this name."""
        return self._follow(_calls.upsert_global_concurrency_limit_by_name(name, limit, slot_decay_per_second))


class ConcurrencyLimitAsyncClient(BaseAsyncClient):
    """Methods of the async client."""

    async def create_concurrency_limit(self, tag: str, concurrency_limit: int) -> UUID:
        """Limit how many task runs of a tag run at once."""
        return await self.send(_calls.create_concurrency_limit(tag, concurrency_limit))

    async def create_global_concurrency_limit(self, concurrency_limit: GlobalConcurrencyLimitCreate) -> UUID:
        """Create a global limit."""
        return await self.send(_calls.create_global_concurrency_limit(concurrency_limit))

    async def decrement_v1_concurrency_slots(
        self, names: list[str], task_run_id: UUID, occupancy_seconds: float
    ) -> httpx.Response:
        """Give the slots of a task run back."""
        return await self._respond(_calls.decrement_v1_concurrency_slots(names, task_run_id, occupancy_seconds))

    async def delete_concurrency_limit_by_tag(self, tag: str) -> None:
        """Delete the limit of a tag."""
        return await self.send(_calls.delete_concurrency_limit_by_tag(tag))

    async def delete_global_concurrency_limit_by_name(self, name: str) -> httpx.Response:
        """Delete a global limit."""
        return await self._respond(_calls.delete_global_concurrency_limit_by_name(name))

    async def increment_concurrency_slots(self, names: list[str], slots: int, mode: str) -> httpx.Response:
        """Take slots of each named limit, of all or of none."""
        return await self._respond(_calls.increment_concurrency_slots(names, slots, mode))

    async def increment_concurrency_slots_with_lease(
        self, names: list[str], slots: int, mode: str, lease_duration: float, holder: Any = None
    ) -> httpx.Response:
        """Take slots under a lease that ends by itself unless it is renewed."""
        return await self._respond(
            _calls.increment_concurrency_slots_with_lease(names, slots, mode, lease_duration, holder)
        )

    async def increment_v1_concurrency_slots(self, names: list[str], task_run_id: UUID) -> httpx.Response:
        """Take one slot of each tag for a task run."""
        return await self._respond(_calls.increment_v1_concurrency_slots(names, task_run_id))

    async def read_concurrency_limit_by_tag(self, tag: str) -> ConcurrencyLimit:
        """Read the limit of a tag."""
        return await self.send(_calls.read_concurrency_limit_by_tag(tag))

    async def read_concurrency_limits(self, limit: int, offset: int) -> list[ConcurrencyLimit]:
        """Read the limits of tags."""
        return await self.send(_calls.read_concurrency_limits(limit, offset))

    async def read_global_concurrency_limit_by_name(self, name: str) -> GlobalConcurrencyLimitResponse:
        """Read a global limit."""
        return await self.send(_calls.read_global_concurrency_limit_by_name(name))

    async def read_global_concurrency_limits(
        self, limit: int = 10, offset: int = 0
    ) -> list[GlobalConcurrencyLimitResponse]:
        """Read global limits."""
        return await self.send(_calls.read_global_concurrency_limits(limit, offset))

    async def release_concurrency_slots(self, names: list[str], slots: int, occupancy_seconds: float) -> httpx.Response:
        """Give slots back."""
        return await self._respond(_calls.release_concurrency_slots(names, slots, occupancy_seconds))

    async def release_concurrency_slots_with_lease(self, lease_id: UUID) -> httpx.Response:
        """Give the slots of a lease back."""
        return await self._respond(_calls.release_concurrency_slots_with_lease(lease_id))

    async def renew_concurrency_lease(self, lease_id: UUID, lease_duration: float) -> httpx.Response:
        """Make a lease last longer."""
        return await self._respond(_calls.renew_concurrency_lease(lease_id, lease_duration))

    async def reset_concurrency_limit_by_tag(self, tag: str, slot_override: Any = None) -> None:
        """Free all slots of a tag, or give them to the task runs named."""
        return await self.send(_calls.reset_concurrency_limit_by_tag(tag, slot_override))

    async def update_global_concurrency_limit(
        self, name: str, concurrency_limit: GlobalConcurrencyLimitUpdate
    ) -> httpx.Response:
        """Change a global limit."""
        return await self._respond(_calls.update_global_concurrency_limit(name, concurrency_limit))

    async def upsert_global_concurrency_limit_by_name(
        self, name: str, limit: int, slot_decay_per_second: float | None = None
    ) -> None:
        """Create a global limit, or change the one of this name."""
        return await self._follow(_calls.upsert_global_concurrency_limit_by_name(name, limit, slot_decay_per_second))
