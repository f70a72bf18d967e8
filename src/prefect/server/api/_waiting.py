"""Holds a request for due runs until there are some, for clients that prefer to wait (RFC 7240, `Prefer: wait=10`).

A run is so heard of at once, without asking again and again. Clients that do not say so are answered at once, as ever.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from prefect.server.api._alarm import Alarm
from prefect.server.api._responses import Answer
from prefect.server.database.notifications import DUE_RUNS, WORK_POOLS
from prefect.server.database.store import Store

ROUTES = frozenset({"/work_pools/{name}/get_scheduled_flow_runs", "/deployments/get_scheduled_flow_runs"})
END_WAIT = "prefect.end_wait"
"""In the scope of a request that waits: ends the wait, so that the server can stop."""
_MOST_SECONDS = 60.0
_LOOK_SECONDS = 1.0
"""So often it is looked anyway: the time of a run may have come without anything being told."""
_PAUSE_SECONDS = 0.05
"""Between two looks, so that a busy server does not look after every commit."""
_WAIT = re.compile(r"(?:^|,)\s*wait\s*=\s*\"?(\d{1,9})\"?\s*(?:[,;]|$)", re.IGNORECASE)


def preferred_wait(headers: Mapping[bytes, bytes]) -> float:
    """For how many seconds a client would wait; 0 where it does not say so, at most a minute."""
    found = _WAIT.search(headers.get(b"prefer", b"").decode("latin-1"))
    return min(float(found[1]), _MOST_SECONDS) if found else 0.0


async def answer_when_due(
    store: Store,
    scope: Any,
    receive: Callable[[], Awaitable[Any]],
    seconds: float,
    look: Callable[[float], Awaitable[Answer]],
) -> Answer:
    """The first answer that is not an empty list, or the one at the end of the wait.

    Args:
        store: Whose notifications say when to look again.
        scope: Of the request, which has been read.
        receive: Of the request; says when the client has hung up.
        seconds: How long to wait.
        look: Gives the answer; is told for how many seconds the client has waited already.
    """
    start = time.monotonic()
    alarm = Alarm(store, DUE_RUNS, WORK_POOLS)
    ended = asyncio.ensure_future(receive())
    scope[END_WAIT] = ended.cancel
    try:
        while True:
            alarm.reset()
            waited = time.monotonic() - start
            answer = await look(waited)
            left = seconds - waited
            if answer.status != 200 or answer.body != b"[]" or left <= 0 or ended.done():
                break
            await alarm.wait_beside(ended, min(left, _LOOK_SECONDS))
            await asyncio.sleep(_PAUSE_SECONDS)
    finally:
        alarm.close()
        ended.cancel()
    return replace(answer, headers={**(answer.headers or {}), "Preference-Applied": f"wait={seconds:.0f}"})
