"""The HTTP clients below the API clients: httpx with repetitions, CSRF tokens and the API's errors."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any
from uuid import UUID

from typing_extensions import Self

from prefect.client._exchange import Session, exchange
from prefect.client._quick_httpx import httpx
from prefect.settings import get_current_settings
from prefect.utilities._http_status_error import status_error


class PrefectResponse(httpx.Response):
    """A response whose `raise_for_status` tells what the API answered."""

    def raise_for_status(self) -> httpx.Response:
        """Return this response, unless it is an error.

        Raises:
            PrefectHTTPStatusError: The status is not a success.
        """
        if not self.is_success:
            raise status_error(self)
        return self

    @classmethod
    def from_httpx_response(cls: type[Self], response: httpx.Response) -> httpx.Response:
        """Make one of a plain response, which is changed and returned."""
        response.__class__ = cls
        return response


def _statuses(codes: Any) -> frozenset[int]:
    return frozenset({codes} if isinstance(codes, int) else map(int, codes or ()))


class _Exchanging:
    """What both clients add to httpx."""

    raise_on_all_errors: bool
    session: Session
    """What the requests have in common."""

    def _prepare(self, base_url: Any, enable_csrf_support: bool, raise_on_all_errors: bool) -> None:
        client = get_current_settings().client
        self.raise_on_all_errors = raise_on_all_errors
        self.session = Session(
            str(base_url).rstrip("/"),
            max_retries=client.max_retries,
            jitter=client.retry_jitter_factor,
            extra_statuses=_statuses(client.retry_extra_codes),
            csrf_enabled=enable_csrf_support,
        )

    @property
    def enable_csrf_support(self) -> bool:
        """Whether requests that change something carry a CSRF token."""
        return self.session.csrf_enabled

    @enable_csrf_support.setter
    def enable_csrf_support(self, enabled: bool) -> None:
        self.session.csrf_enabled = enabled

    @property
    def csrf_token(self) -> str | None:
        """The CSRF token in use."""
        return self.session.csrf_token

    @csrf_token.setter
    def csrf_token(self, token: str | None) -> None:
        self.session.csrf_token = token

    @property
    def csrf_token_expiration(self) -> datetime | None:
        """When the CSRF token in use ends."""
        return self.session.csrf_expiration

    @csrf_token_expiration.setter
    def csrf_token_expiration(self, instant: datetime | None) -> None:
        self.session.csrf_expiration = instant

    @property
    def csrf_client_id(self) -> UUID:
        """Names this client to the API's CSRF protection."""
        return UUID(self.session.csrf_client)

    def _result(self, response: httpx.Response) -> httpx.Response:
        response = PrefectResponse.from_httpx_response(response)
        return response.raise_for_status() if self.raise_on_all_errors else response


class PrefectHttpxSyncClient(_Exchanging, httpx.Client):
    """An httpx client that repeats requests which failed for a passing reason, and carries CSRF tokens."""

    def __init__(
        self, *args: Any, enable_csrf_support: bool = False, raise_on_all_errors: bool = True, **kwargs: Any
    ) -> None:
        """Take what `httpx.Client` takes.

        Args:
            enable_csrf_support: Ask the API for a CSRF token before the first request that changes something.
            raise_on_all_errors: Raise `PrefectHTTPStatusError` for every answer that is not a success.
        """
        super().__init__(*args, **kwargs)
        self._prepare(self.base_url, enable_csrf_support, raise_on_all_errors)

    def send(self, request: httpx.Request, *args: Any, **kwargs: Any) -> httpx.Response:
        """Send a request until it is answered for good."""
        plan = exchange(self.session, request)
        wanted: Any = next(plan)
        while True:
            answer: Any = None
            if isinstance(wanted, float):
                time.sleep(wanted)
            else:
                try:
                    answer = super().send(wanted, *args, **kwargs)
                except httpx.TransportError as error:
                    answer = error
            try:
                wanted = plan.send(answer)
            except StopIteration as finished:
                return self._result(finished.value)


class PrefectHttpxAsyncClient(_Exchanging, httpx.AsyncClient):
    """The same for async code."""

    def __init__(
        self, *args: Any, enable_csrf_support: bool = False, raise_on_all_errors: bool = True, **kwargs: Any
    ) -> None:
        """Take what `httpx.AsyncClient` takes; the rest is as in `PrefectHttpxSyncClient`."""
        super().__init__(*args, **kwargs)
        self._prepare(self.base_url, enable_csrf_support, raise_on_all_errors)

    async def send(self, request: httpx.Request, *args: Any, **kwargs: Any) -> httpx.Response:
        """Send a request until it is answered for good."""
        import asyncio  # noqa: PLC0415 - costly to import, and loaded already wherever this runs

        plan = exchange(self.session, request)
        wanted: Any = next(plan)
        while True:
            answer: Any = None
            if isinstance(wanted, float):
                await asyncio.sleep(wanted)
            else:
                try:
                    answer = await super().send(wanted, *args, **kwargs)
                except httpx.TransportError as error:
                    answer = error
            try:
                wanted = plan.send(answer)
            except StopIteration as finished:
                return self._result(finished.value)
