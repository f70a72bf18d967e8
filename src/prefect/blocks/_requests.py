"""Sends the requests of blocks; where they ask for it, to the public network only.

This is one of the modules that are about httpx; it is imported when a request is to be made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

from prefect.utilities._restricted_urls import (
    SSRFProtectedAsyncHTTPTransport,
    SSRFProtectedHTTPTransport,
    validate_restricted_url,
)
from prefect.utilities.asyncutils import run_sync_in_worker_thread


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent.

    Attributes:
        method: Such as POST.
        url: Where to.
        name: What stands for the URL in messages, without secrets.
        options: The other arguments of httpx: headers, json, content and so on.
        client: Arguments for the client: cookies, headers, timeout and so on.
        verify: Whether the server's certificate is checked.
        allow_private_urls: Whether the server may be in the private network.
    """

    method: str
    url: str
    name: str
    options: dict[str, Any] = field(default_factory=dict)
    client: dict[str, Any] = field(default_factory=dict)
    verify: bool = True
    allow_private_urls: bool = True

    def check(self) -> None:
        """Check that the server is where it may be.

        Raises:
            ValueError: It is not.
        """
        if self.allow_private_urls:
            return
        try:
            validate_restricted_url(self.url)
        except ValueError as error:
            raise ValueError(str(error).replace(repr(self.url), repr(self.name))) from None

    def send(self) -> httpx.Response:
        """Send it, and wait for the answer."""
        self.check()
        transport = None if self.allow_private_urls else SSRFProtectedHTTPTransport(verify=self.verify)
        with httpx.Client(transport=transport, verify=self.verify, **self.client) as client:
            return client.request(self.method, self.url, **self.options)

    async def send_async(self) -> httpx.Response:
        """`send` for async code."""
        await run_sync_in_worker_thread(self.check)
        transport = None if self.allow_private_urls else SSRFProtectedAsyncHTTPTransport(verify=self.verify)
        async with httpx.AsyncClient(transport=transport, verify=self.verify, **self.client) as client:
            return await client.request(self.method, self.url, **self.options)

    def require_success(self, response: httpx.Response) -> None:
        """Check the status of an answer.

        Raises:
            httpx.HTTPStatusError: It is that of an error. Its text names no secrets.
        """
        if not response.is_success:
            raise httpx.HTTPStatusError(
                f"The webhook {self.name!r} answered {response.status_code} {response.reason_phrase}, expected a success.",
                request=response.request,
                response=response,
            )
