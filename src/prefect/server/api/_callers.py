"""Reads from the headers of a request who sends it, and whether this server can talk to them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from uuid import UUID

from prefect.server.routes import ApiError, Caller

_OLDEST_VERSION = (0, 8, 0)
MOST_HOLDER_LETTERS = 200
_HOLDER = re.compile(rf"[!-~]{{1,{MOST_HOLDER_LETTERS}}}")
_USER_AGENT = re.compile(r"^prefect/(\d+)\.(\d+)\.(\d+)\S* \(API \S+\)")


def read_caller(headers: Mapping[bytes, bytes], base_url: str) -> Caller:
    """Who sends a request with these headers (names in lower case).

    Raises:
        ApiError: The API version that the client speaks is malformed, or older than what the server understands.
    """
    version = headers.get(b"x-prefect-api-version")
    automation = headers.get(b"prefect-automation-id")
    holder = headers.get(b"x-prefect-run-holder")
    caller = _known_caller(
        None if version is None else version.decode("latin-1"),
        headers.get(b"user-agent", b"").decode("latin-1"),
        base_url,
        headers.get(b"x-prefect-ui", b"").lower() in (b"true", b"1"),
    )
    if holder is not None:
        caller = replace(caller, holder=_read_holder(holder))
    if automation is None:
        return caller
    name = headers.get(b"prefect-automation-name", b"")
    return replace(caller, automation_id=_as_uuid(automation), automation_name=_from_base64(name))


@lru_cache(maxsize=256)
def _known_caller(version: str | None, agent: str, base_url: str, is_ui: bool) -> Caller:
    return Caller(
        api_version=None if version is None else _read_version(version),
        client_version=_read_agent(agent),
        base_url=base_url,
        is_ui=is_ui,
    )


def _read_version(text: str) -> tuple[int, int, int]:
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise ApiError(
            400, f"The header X-PREFECT-API-VERSION has the value {text!r}; expected three numbers such as '0.8.4'."
        )
    major, minor, patch = map(int, parts)
    if (major, minor, patch) < _OLDEST_VERSION:
        oldest = ".".join(map(str, _OLDEST_VERSION))
        raise ApiError(
            400, f"The client speaks API version {text}, but this server needs {oldest} or later. Upgrade the client."
        )
    return major, minor, patch


def _read_holder(value: bytes) -> str:
    text = value.decode("latin-1")
    if not _HOLDER.fullmatch(text):
        raise ApiError(
            400,
            f"The header X-Prefect-Run-Holder has the value {text[:80]!r}; expected 1 to {MOST_HOLDER_LETTERS} visible ASCII "
            "characters that name one process, such as 'machine:4711:0198c0de-0000-7000-8000-000000000000'.",
        )
    return text


def _read_agent(agent: str) -> tuple[int, int, int] | None:
    found = _USER_AGENT.match(agent)
    return None if found is None else (int(found[1]), int(found[2]), int(found[3]))


def _as_uuid(value: bytes) -> UUID | None:
    try:
        return UUID(value.decode("latin-1"))
    except ValueError:
        return None


def _from_base64(value: bytes) -> str | None:
    try:
        return base64.b64decode(value, validate=True).decode() or None
    except (binascii.Error, UnicodeDecodeError):
        return None
