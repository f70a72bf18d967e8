"""Tells a server that the runs of this process are alive: one small request for all of them, well within their lease."""

from __future__ import annotations

import os
from typing import Any

from prefect.client._calls._call import Call
from prefect.client._holder import due_telling, forget_lease, note_lease, telling_span
from prefect.client._http import HTTPSender
from prefect.exceptions import PrefectHTTPStatusError

_PATIENCE_SECONDS = 10.0
_UNKNOWN = frozenset({404, 405})
_senders: dict[str, HTTPSender] = {}
"""Of the one thread that tells. Its requests are not repeated: the next telling comes soon, and must not come late."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_senders.clear)


def keep_runs_alive_there(settings: Any) -> float | None:
    """Tell the server that settings name that this process is alive, if it wants to hear of it now.

    Returns:
        The seconds until the next time; None when the server does not want to hear of it.
    """
    key = settings.hash_key()
    sender = _senders.get(key)
    if sender is None:
        options = {"timeout": _PATIENCE_SECONDS}
        sender = _senders[key] = HTTPSender.to(settings, max_retries=0, httpx_settings=options)
    address = str(sender.client.base_url)
    remaining = due_telling(address)
    if remaining is None or remaining > 0:
        return remaining
    try:
        answer = sender.send(Call("POST", "/flow_run_leases/renew").as_holder())
        note_lease(address, str(answer["lease_seconds"]))
    except PrefectHTTPStatusError as error:
        if error.response.status_code in _UNKNOWN:  # another server has taken its place
            forget_lease(address)
    except Exception:  # noqa: BLE001 - a server that is away, or answers nonsense, is told again in time
        pass
    return telling_span(address)
