"""Methods of both clients. Written by scripts/generate_clients.py; change the call functions instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.client._calls import variables as _calls
from prefect.client.orchestration.base import BaseAsyncClient, BaseClient

if TYPE_CHECKING:
    from prefect.client.schemas.actions import VariableCreate, VariableUpdate
    from prefect.client.schemas.objects import Variable


class VariableClient(BaseClient):
    """Methods of the sync client."""

    def create_variable(self, variable: VariableCreate) -> Variable:
        """Create a variable."""
        return self.send(_calls.create_variable(variable))

    def delete_variable_by_name(self, name: str) -> None:
        """Delete a variable."""
        return self.send(_calls.delete_variable_by_name(name))

    def read_variable_by_name(self, name: str) -> Variable | None:
        """Read a variable; None when there is none of that name."""
        return self.send(_calls.read_variable_by_name(name))

    def read_variables(self, limit: int | None = None) -> list[Variable]:
        """Read all variables."""
        return self.send(_calls.read_variables(limit))

    def update_variable(self, variable: VariableUpdate) -> None:
        """Change the variable of that name."""
        return self.send(_calls.update_variable(variable))


class VariableAsyncClient(BaseAsyncClient):
    """Methods of the async client."""

    async def create_variable(self, variable: VariableCreate) -> Variable:
        """Create a variable."""
        return await self.send(_calls.create_variable(variable))

    async def delete_variable_by_name(self, name: str) -> None:
        """Delete a variable."""
        return await self.send(_calls.delete_variable_by_name(name))

    async def read_variable_by_name(self, name: str) -> Variable | None:
        """Read a variable; None when there is none of that name."""
        return await self.send(_calls.read_variable_by_name(name))

    async def read_variables(self, limit: int | None = None) -> list[Variable]:
        """Read all variables."""
        return await self.send(_calls.read_variables(limit))

    async def update_variable(self, variable: VariableUpdate) -> None:
        """Change the variable of that name."""
        return await self.send(_calls.update_variable(variable))
