"""The effects by which plans send calls to the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prefect._plans import Pair
from prefect.client._send import Calls, send, send_async, send_together, send_together_async


def ask(call: Any) -> Pair:
    """Send a call, and resume with what it gives."""
    return Pair(send, send_async, call)


def ask_together(calls: Callable[[], Calls[Any]]) -> Pair:
    """Send calls of which each may build on the answer to the one before, and resume with what they return."""
    return Pair(send_together, send_together_async, calls)
