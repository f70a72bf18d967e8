"""Gives back, when a block ends, the slots that code inside it left taken."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any, ClassVar
from uuid import UUID

from typing_extensions import Self

from prefect._plans import run_plan
from prefect.concurrency._api import GiveBack


class ConcurrencyContext:
    """The leases taken inside a `with` block; those that are left at its end are given back then."""

    __var__: ClassVar[ContextVar[Any]] = ContextVar("prefect_concurrency_context", default=None)

    def __init__(self, cleanup_lease_ids: list[UUID] | None = None) -> None:
        """Begin with some leases, none by default."""
        self.cleanup_lease_ids: list[UUID] = cleanup_lease_ids or []
        self._token: Token[Any] | None = None

    @classmethod
    def get(cls) -> Self | None:
        """The active context, or None."""
        return cls.__var__.get()

    def __enter__(self) -> Self:
        if self._token is not None:
            raise RuntimeError("This ConcurrencyContext is entered already. Make another one.")
        self._token = self.__var__.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            self.__var__.reset(self._token)
            self._token = None
        for lease_id in self.cleanup_lease_ids:
            run_plan(_plan_give_back(lease_id))
        self.cleanup_lease_ids.clear()


def _plan_give_back(lease_id: UUID) -> Any:
    yield GiveBack(lease_id)
