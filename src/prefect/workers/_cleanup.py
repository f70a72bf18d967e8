"""Kinds of infrastructure to clean up, and the handlers by which a worker does it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from prefect.client.schemas.worker_channel import CleanupKind, CleanupMessagePayload, CleanupOperation


@dataclass(frozen=True)
class CleanupExecutionResult:
    """What came of a clean-up: it is done (`ack`), or somebody has to try again (`release`)."""

    operation: CleanupOperation
    reason: str | None = None

    def __post_init__(self) -> None:
        if self.operation == "release" and not self.reason:
            raise ValueError("A clean-up that is given back needs a reason.")

    @classmethod
    def success(cls) -> CleanupExecutionResult:
        """The infrastructure is gone."""
        return cls("ack")

    @classmethod
    def noop(cls) -> CleanupExecutionResult:
        """There was nothing to do."""
        return cls("ack")

    @classmethod
    def release(cls, reason: str) -> CleanupExecutionResult:
        """It did not work this time."""
        return cls("release", reason)


class WorkerCleanupHandler(Protocol):
    """Cleans up infrastructure of the kinds that its attribute `cleanup_kind` or `cleanup_kinds` names."""

    async def cleanup(self, message: CleanupMessagePayload) -> CleanupExecutionResult | None:
        """Clean up. None, like `CleanupExecutionResult.success()`, means that it is done; errors, that it is not."""
        ...


class WorkerCleanupHandlerRegistry:
    """The handlers of a worker, one for each kind."""

    def __init__(self, handlers: Iterable[WorkerCleanupHandler] = ()) -> None:
        self._handlers: dict[CleanupKind, WorkerCleanupHandler] = {}
        for handler in handlers:
            self.register(handler)

    def __bool__(self) -> bool:
        return bool(self._handlers)

    @property
    def handled_cleanup_kinds(self) -> tuple[CleanupKind, ...]:
        """The kinds that have a handler."""
        return tuple(self._handlers)

    def register(self, handler: WorkerCleanupHandler) -> None:
        """Add a handler.

        Raises:
            ValueError: It names no kind, or one that has a handler.
        """
        kinds = getattr(handler, "cleanup_kinds", None)
        if kinds is None:
            kind = getattr(handler, "cleanup_kind", None)
            kinds = () if kind is None else (kind,)
        if not kinds:
            raise ValueError(
                f"Cleanup handlers must define `cleanup_kind` or `cleanup_kinds`, which {handler!r} does not."
            )
        for kind in kinds:
            if kind in self._handlers:
                raise ValueError(f"Cleanup handler already registered for {kind!r}: {self._handlers[kind]!r}.")
            self._handlers[kind] = handler

    def get(self, kind: CleanupKind) -> WorkerCleanupHandler | None:
        """The handler of a kind, if it has one."""
        return self._handlers.get(kind)
