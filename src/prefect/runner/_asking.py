"""Sends requests without repeating them, for those who decide themselves when to try again, and say so."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from typing_extensions import Self

from prefect.client._calls._call import Call
from prefect.client._send import send_async
from prefect.settings import get_current_settings

if TYPE_CHECKING:
    from prefect.client._http import AsyncHTTPSender

T = TypeVar("T")


class Asking:
    """Sends requests to the API that the settings name, while in its `async with` block."""

    def __init__(self) -> None:
        self._sender: AsyncHTTPSender | None = None

    async def __aenter__(self) -> Self:
        settings = get_current_settings()
        if settings.api.url:
            from prefect.client import _http  # noqa: PLC0415 - httpx loads only where there is a server

            self._sender = _http.AsyncHTTPSender.to(settings, max_retries=0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._sender is not None:
            await self._sender.aclose()

    async def ask(self, call: Call[T]) -> T:
        """Send a request once."""
        return await (send_async(call) if self._sender is None else self._sender.send(call))
