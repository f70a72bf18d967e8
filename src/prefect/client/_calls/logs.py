"""Requests about logs and events."""

from __future__ import annotations

from typing import Any

from prefect.client._calls._call import Call, given, many, nothing, one
from prefect.client.schemas.objects import Log


def create_logs(logs: Any) -> Call[None]:
    """Store log lines, given as objects, or all of them as JSON."""
    return Call("POST", "/logs/", body=logs if isinstance(logs, bytes) else list(logs), parse=nothing)


def read_logs(
    log_filter: Any = None, limit: int | None = None, offset: int | None = None, sort: Any = None
) -> Call[list[Log]]:
    """Read log lines, oldest first unless sorted otherwise."""
    body = given(logs=log_filter, limit=limit, offset=offset, sort=sort)
    return Call("POST", "/logs/filter", body=body, parse=many(Log))


def create_events(events: Any) -> Call[None]:
    """Store events, given as objects, or all of them as JSON."""
    return Call("POST", "/events", body=events if isinstance(events, bytes) else list(events), parse=nothing)


def read_events(filter: Any = None, limit: int = 100) -> Call[Any]:
    """Read a page of events, newest first unless the filter says otherwise."""
    from prefect.client.schemas.events import EventPage  # noqa: PLC0415 - event models load only where they are read

    return Call("POST", "/events/filter", body=given(filter=filter, limit=min(limit, 50)), parse=one(EventPage))


def read_events_page(next_page_url: str) -> Call[Any]:
    """Read the page of events that an earlier one points to."""
    from urllib.parse import parse_qs, urlsplit  # noqa: PLC0415

    from prefect.client.schemas.events import EventPage  # noqa: PLC0415

    token = parse_qs(urlsplit(str(next_page_url)).query)["page-token"][0]
    return Call("GET", "/events/filter/next", query={"page-token": token}, parse=one(EventPage))
