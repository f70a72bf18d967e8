"""Automations: what to do when events happen, or do not happen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload
from uuid import UUID

from pydantic import Field
from typing_extensions import Self

from prefect._asking import ask
from prefect._compat.dispatch import async_dispatch
from prefect._plans import Plan, run_plan, run_plan_async
from prefect.client._calls import automations as calls
from prefect.events.actions import (
    CallWebhook,
    CancelFlowRun,
    ChangeFlowRunState,
    DeclareIncident,
    DeleteFlowRun,
    DoNothing,
    PauseAutomation,
    PauseDeployment,
    PauseWorkPool,
    PauseWorkQueue,
    ResumeAutomation,
    ResumeDeployment,
    ResumeWorkPool,
    ResumeWorkQueue,
    RunDeployment,
    SendNotification,
    SuspendFlowRun,
)
from prefect.events.schemas.automations import (
    AutomationCore,
    CompositeTrigger,
    CompoundTrigger,
    EventTrigger,
    MetricTrigger,
    MetricTriggerOperator,
    MetricTriggerQuery,
    Posture,
    PrefectMetric,
    ResourceTrigger,
    SequenceTrigger,
    Trigger,
)
from prefect.events.schemas.events import ResourceSpecification
from prefect.exceptions import ObjectNotFound

__all__ = [
    "AutomationCore",
    "CallWebhook",
    "CancelFlowRun",
    "ChangeFlowRunState",
    "CompositeTrigger",
    "CompoundTrigger",
    "DeclareIncident",
    "DeleteFlowRun",
    "DoNothing",
    "EventTrigger",
    "MetricTrigger",
    "MetricTriggerOperator",
    "MetricTriggerQuery",
    "PauseAutomation",
    "PauseDeployment",
    "PauseWorkPool",
    "PauseWorkQueue",
    "Posture",
    "PrefectMetric",
    "ResourceSpecification",
    "ResourceTrigger",
    "ResumeAutomation",
    "ResumeDeployment",
    "ResumeWorkPool",
    "ResumeWorkQueue",
    "RunDeployment",
    "SendNotification",
    "SequenceTrigger",
    "SuspendFlowRun",
    "Trigger",
]


class Automation(AutomationCore):
    """A trigger, and the actions that follow it.

    Example:
        ```python
        Automation(
            name="say when it fails",
            trigger=EventTrigger(expect={"prefect.flow-run.Failed"}, posture="Reactive", threshold=1),
            actions=[DoNothing()],
        ).create()
        ```
    """

    id: UUID | None = Field(default=None, description="Known once it is stored.")

    async def acreate(self: Self) -> Self:
        """Store this automation as a new one; see `create`."""
        return await run_plan_async(self._plan_create())

    @async_dispatch(acreate)
    def create(self: Self) -> Self:
        """Store this automation as a new one, and set its `id`."""
        return run_plan(self._plan_create())

    async def aupdate(self: Self) -> None:
        """Store the changes of this automation; see `update`."""
        await run_plan_async(self._plan_update())

    @async_dispatch(aupdate)
    def update(self: Self) -> None:
        """Store the changes of this automation.

        Raises:
            ValueError: It has no id.
            ObjectNotFound: It is no longer stored.
        """
        run_plan(self._plan_update())

    if TYPE_CHECKING:

        @overload
        @classmethod
        async def aread(cls, id: UUID, name: None = None) -> Self: ...
        @overload
        @classmethod
        async def aread(cls, id: None = None, name: str = ...) -> Self: ...

    @classmethod
    async def aread(cls, id: UUID | None = None, name: str | None = None) -> Self:
        """Read an automation; see `read`."""
        return await run_plan_async(cls._plan_read(id, name))

    if TYPE_CHECKING:

        @overload
        @classmethod
        def read(cls, id: UUID, name: None = None, *, _sync: Literal[True] | None = ...) -> Self: ...
        @overload
        @classmethod
        def read(cls, id: None = None, name: str = ..., *, _sync: Literal[True] | None = ...) -> Self: ...

    @classmethod
    @async_dispatch(aread)
    def read(cls, id: UUID | None = None, name: str | None = None) -> Self:
        """Read an automation by its id or its name.

        Args:
            id: Its id.
            name: Its name; of several that have it, the first is read.

        Raises:
            ValueError: Neither or both were given, or there is no such automation.
        """
        return run_plan(cls._plan_read(id, name))

    async def adelete(self: Self) -> bool:
        """Delete this automation; see `delete`."""
        return await run_plan_async(self._plan_delete())

    @async_dispatch(adelete)
    def delete(self: Self) -> bool:
        """Delete this automation.

        Returns:
            False when it was deleted before.

        Raises:
            ValueError: It has no id.
        """
        return run_plan(self._plan_delete())

    async def adisable(self: Self) -> bool:
        """Make this automation rest; see `disable`."""
        return await run_plan_async(self._plan_enable(False))

    @async_dispatch(adisable)
    def disable(self: Self) -> bool:
        """Make this automation rest: it does nothing until it is enabled.

        Returns:
            False when it is no longer stored.

        Raises:
            ValueError: It has no id.
        """
        return run_plan(self._plan_enable(False))

    async def aenable(self: Self) -> bool:
        """Make this automation work; see `enable`."""
        return await run_plan_async(self._plan_enable(True))

    @async_dispatch(aenable)
    def enable(self: Self) -> bool:
        """Make this automation work.

        Returns:
            False when it is no longer stored.

        Raises:
            ValueError: It has no id.
        """
        return run_plan(self._plan_enable(True))

    def _plan_create(self) -> Plan[Self]:
        self.id = yield ask(calls.create_automation(self._as_stored()))
        return self

    def _plan_update(self) -> Plan[None]:
        yield ask(calls.update_automation(self._require_id("update"), self._as_stored()))

    def _as_stored(self) -> AutomationCore:
        fields = {name: getattr(self, name) for name in AutomationCore.model_fields}
        return AutomationCore.model_construct(_fields_set=self.model_fields_set - {"id"}, **fields)

    @classmethod
    def _plan_read(cls, id: UUID | None, name: str | None) -> Plan[Self]:
        if id and name:
            raise ValueError(f"Only one of id or name can be provided, not both {id!r} and {name!r}.")
        if id is not None:
            try:
                found: Any = yield ask(calls.read_automation(id))
            except ObjectNotFound:
                found = None
            if found is None:
                raise ValueError(f"Automation with ID {id!r} not found")
        elif name is not None:
            matching = yield ask(calls.read_automations_by_name(name))
            if not matching:
                raise ValueError(f"Automation with name {name!r} not found")
            found = matching[0]
        else:
            raise ValueError("One of id or name must be provided")
        return cls(**{field: getattr(found, field) for field in cls.model_fields if hasattr(found, field)})

    def _plan_delete(self) -> Plan[bool]:
        call = calls.delete_automation(self._require_id("delete"))
        try:
            yield ask(call)
        except ObjectNotFound:
            return False
        return True

    def _plan_enable(self, enabled: bool) -> Plan[bool]:
        id = self._require_id("enable" if enabled else "disable")
        call = calls.resume_automation(id) if enabled else calls.pause_automation(id)
        try:
            yield ask(call)
        except ObjectNotFound:
            return False
        self.enabled = enabled
        return True

    def _require_id(self, doing: str) -> UUID:
        if self.id is None:
            raise ValueError(
                f"Can't {doing} an automation without an id: {self.name!r} was not created. Call create() first, or get"
                " it with Automation.read()."
            )
        return self.id
