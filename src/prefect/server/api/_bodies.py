"""Turns the bytes of a request into values, and the values of an answer into bytes."""

from __future__ import annotations

import re
from typing import Any

import orjson
from pydantic_core import from_json, to_json

from prefect.server.routes import InvalidRequest

_LONG_NUMBER = re.compile(rb"\d{19}")
_DEEPEST = 200
"""What is nested deeper than this cannot be written back as JSON."""


def read_body(content: bytes, content_type: str) -> Any:
    """The value that the body of a request says; None for an empty one.

    A body without a declared type is JSON, as old clients send it; of any other type, it is text.

    Raises:
        InvalidRequest: It claims to be JSON and is not.
    """
    if not content:
        return None
    if content_type and not _is_json(content_type):
        return content.decode("utf-8", "replace")
    try:
        # orjson makes a float of a whole number that needs more than 64 bits, and its last digits are lost.
        body = from_json(content, allow_inf_nan=False) if _LONG_NUMBER.search(content) else orjson.loads(content)
    except ValueError as error:
        raise _refused("json_invalid", f"The body is no valid JSON: {error}", content) from None
    if content.count(b"[") + content.count(b"{") > _DEEPEST and _depth(body) > _DEEPEST:
        raise _refused("json_too_deep", f"The body is nested deeper than {_DEEPEST} levels", content)
    return body


def write_body(value: Any) -> bytes:
    """The JSON of an answer."""
    return to_json(value, by_alias=True, timedelta_mode="float", inf_nan_mode="null")


def write_problem(value: Any) -> bytes:
    """The JSON of an error, which may quote anything that the request has held."""
    return to_json(value, timedelta_mode="float", inf_nan_mode="null", fallback=repr, serialize_unknown=True)


def _is_json(content_type: str) -> bool:
    # `curl -d` declares every body to be a form, and no route takes one.
    kind = content_type.partition(";")[0].strip().lower()
    return kind in ("application/json", "application/x-www-form-urlencoded") or kind.endswith("+json")


def _refused(kind: str, message: str, content: bytes) -> InvalidRequest:
    shown = content[:200].decode("utf-8", "replace")
    return InvalidRequest([{"type": kind, "loc": ["body"], "msg": message, "input": shown}], shown)


def _depth(value: Any) -> int:
    deepest, left = 0, [(value, 1)]
    while left:
        item, depth = left.pop()
        deepest = max(deepest, depth)
        if isinstance(item, dict):
            left += [(each, depth + 1) for each in item.values()]
        elif isinstance(item, list):
            left += [(each, depth + 1) for each in item]
    return deepest
