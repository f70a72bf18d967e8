"""Variables: small JSON values that flows share under a name. They are not encrypted; secrets belong in blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from pydantic import BaseModel, Field

from prefect._asking import ask
from prefect._compat.dispatch import async_dispatch
from prefect._compat.moves import old_names
from prefect._plans import Plan, run_plan, run_plan_async
from prefect.client._calls import variables as calls
from prefect.client.schemas.actions import VariableCreate, VariableUpdate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.types import StrictVariableValue
from prefect.types.names import MAX_VARIABLE_NAME_LENGTH, VariableName

if TYPE_CHECKING:
    from prefect.client.schemas.objects import Variable as StoredVariable

__all__ = ["Variable"]


class Variable(BaseModel):
    """A value under a name, which flows and deployments read when they run."""

    name: VariableName = Field(
        description="Lower-case letters, digits, dashes and underscores.", max_length=MAX_VARIABLE_NAME_LENGTH
    )
    value: StrictVariableValue = Field(description="Any JSON value, of at most 5000 characters as JSON.")
    tags: list[str] | None = Field(default=None, description="For people to find it by.")

    @classmethod
    async def aset(
        cls, name: str, value: StrictVariableValue, tags: list[str] | None = None, overwrite: bool = False
    ) -> Variable:
        """Store a variable; see `set`."""
        return await run_plan_async(_plan_set(name, value, tags, overwrite))

    @classmethod
    @async_dispatch(aset)
    def set(
        cls, name: str, value: StrictVariableValue, tags: list[str] | None = None, overwrite: bool = False
    ) -> Variable:
        """Store a variable.

        Args:
            name: Lower-case letters, digits, dashes and underscores, at most 255 of them.
            value: Any JSON value, of at most 5000 characters as JSON.
            tags: For people to find it by. Without them, a variable that is overwritten loses its tags.
            overwrite: Replace the variable of this name if there is one.

        Returns:
            The variable, as it is stored.

        Raises:
            ValueError: There is a variable of this name already, and `overwrite` is false; or the name or the value is
                not allowed.
        """
        return run_plan(_plan_set(name, value, tags, overwrite))

    if TYPE_CHECKING:

        @overload
        @classmethod
        async def aget(cls, name: str) -> StrictVariableValue: ...
        @overload
        @classmethod
        async def aget(cls, name: str, default: StrictVariableValue) -> StrictVariableValue: ...

    @classmethod
    async def aget(cls, name: str, default: StrictVariableValue = None) -> StrictVariableValue:
        """Read the value of a variable; see `get`."""
        return await run_plan_async(_plan_get(name, default))

    if TYPE_CHECKING:

        @overload
        @classmethod
        def get(cls, name: str, *, _sync: Literal[True] | None = ...) -> StrictVariableValue: ...
        @overload
        @classmethod
        def get(
            cls, name: str, default: StrictVariableValue, *, _sync: Literal[True] | None = ...
        ) -> StrictVariableValue: ...

    @classmethod
    @async_dispatch(aget)
    def get(cls, name: str, default: StrictVariableValue = None) -> StrictVariableValue:
        """Read the value of a variable.

        Args:
            name: Its name.
            default: What to return when there is no variable of that name.
        """
        return run_plan(_plan_get(name, default))

    @classmethod
    async def aunset(cls, name: str) -> bool:
        """Delete a variable; see `unset`."""
        return await run_plan_async(_plan_unset(name))

    @classmethod
    @async_dispatch(aunset)
    def unset(cls, name: str) -> bool:
        """Delete a variable.

        Args:
            name: Its name.

        Returns:
            Whether there was one.
        """
        return run_plan(_plan_unset(name))


def _plan_set(name: str, value: Any, tags: list[str] | None, overwrite: bool) -> Plan[Variable]:
    new = VariableCreate(name=name, value=value, tags=tags or [])
    # Created first, and not looked up before: of two that create the same variable at once, one is told.
    try:
        stored = yield ask(calls.create_variable(new))
    except ObjectAlreadyExists:
        if not overwrite:
            raise ValueError(f"Variable {name!r} already exists. Use `overwrite=True` to update it.") from None
        yield ask(calls.update_variable(VariableUpdate(name=new.name, value=new.value, tags=new.tags)))
        return Variable(name=new.name, value=new.value, tags=new.tags)
    return Variable(name=stored.name, value=stored.value, tags=stored.tags)


def _plan_get(name: str, default: Any) -> Plan[Any]:
    stored: StoredVariable | None = yield ask(calls.read_variable_by_name(name))
    return default if stored is None else stored.value


def _plan_unset(name: str) -> Plan[bool]:
    try:
        yield ask(calls.delete_variable_by_name(name))
    except ObjectNotFound:
        return False
    return True


__getattr__ = old_names(__name__, moved={"get": "prefect.variables:Variable.get"})
