"""Asks a server how it is."""

import time
from typing import Any, NamedTuple

import httpx

from prefect.client._http import HTTPSender
from prefect.settings import get_current_settings, temporary_settings

_POLL_SECONDS = 1.0
_PATIENCE_SECONDS = 5.0


class ServerStatus(NamedTuple):
    """What a server says of itself: `available`, `unavailable` or `timed_out`."""

    status: str
    api_url: str
    server_version: str | None = None
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        """What there is to say, without what is not known."""
        return {name: value for name, value in self._asdict().items() if value is not None}


def wait_for_status(url: str, timeout_seconds: int | None) -> ServerStatus:
    """Ask a server how it is; again every second until it is available.

    Args:
        url: Of the API.
        timeout_seconds: How long to go on asking; 0 is for ever, None asks once.
    """
    deadline = time.monotonic() + timeout_seconds if timeout_seconds else None
    while True:
        found = read_status(url)
        if found.status == "available" or timeout_seconds is None:
            return found
        if deadline is not None and time.monotonic() + _POLL_SECONDS > deadline:
            return found._replace(status="timed_out")
        time.sleep(_POLL_SECONDS)


def read_status(url: str) -> ServerStatus:
    """Ask a server how it is."""
    with temporary_settings({"client.max_retries": 0}):
        sender = HTTPSender.to(get_current_settings(), url, httpx_settings={"timeout": _PATIENCE_SECONDS})
    with sender.client as client:
        try:
            health = client.get(f"{url}/health")
            health.raise_for_status()
            version = client.get(f"{url}/admin/version")
        except httpx.HTTPStatusError as error:
            return ServerStatus("unavailable", url, error=f"it answered {error.response.status_code}")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return ServerStatus("unavailable", url, error=str(error) or type(error).__name__)
    known = version.json() if version.status_code == 200 else None
    return ServerStatus("available", url, server_version=known)
