"""Delivers calls to the core in this process: no HTTP, no server, no event loop."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from prefect._recorder import flush_recorders
from prefect.client._calls._call import Call
from prefect.server.database.store import Transaction, open_store
from prefect.server.models.flow_run_leases import end_abandoned_runs, renew_leases
from prefect.server.routes._table import LOCAL, ApiError, Caller, dispatch, dispatch_within
from prefect.types._ids import uuid7

T = TypeVar("T")

_FLUSH_PATIENCE_SECONDS = 10.0


def send_in_process(call: Call[T], database_url: str) -> T:
    """Deliver one call; what this process has recorded before is visible to it.

    Raises:
        ObjectNotFound: There is no such thing.
        ObjectAlreadyExists: It exists already.
        PrefectHTTPStatusError: The request failed otherwise, as it would over HTTP.
    """
    try:
        reply = answer(call, database_url)
    except ApiError as error:
        return _refused(call, error)
    if call.wants_response:
        from prefect.client import _in_process_http  # noqa: PLC0415 - httpx loads only where its types are wanted

        return _in_process_http.as_response(call, reply)  # type: ignore[return-value]
    return call.parse(reply.body)


def answer(call: Call[Any], database_url: str) -> Any:
    """The core's reply to a call.

    Raises:
        ApiError: It was refused.
    """
    if call.method == "GET" or call.template.endswith(("/filter", "/count", "/history", "/paginate")):
        flush_recorders(_FLUSH_PATIENCE_SECONDS)
    return dispatch(open_store(database_url), call, _this_process())


def send_together_in_process(calls: Callable[[], Generator[Call[Any], Any, T]], database_url: str) -> T:
    """Deliver calls in one transaction, each with the results of those before it. Errors as in `send_in_process`."""
    caller = _this_process()
    call: Call[Any] | None = None

    def unit(tx: Transaction) -> T:
        nonlocal call
        sequence, result = calls(), None
        while True:
            try:
                call = sequence.send(result)
            except StopIteration as finished:
                return finished.value
            result = call.parse(dispatch_within(tx, call, caller).body)

    try:
        return open_store(database_url).write(unit)
    except ApiError as error:
        assert call is not None
        return _refused(call, error)


def _refused(call: Call[T], error: ApiError) -> T:
    if error.status == 404 and call.has_absent:
        return call.absent
    call.fail(error.status, error if error.status in call.errors else _as_http_error(call, error))


def keep_runs_alive(database_url: str) -> None:
    """Renew the leases of the flow runs in this process, and end those whose process has died."""
    holder = _this_process().holder
    assert holder is not None

    def renew_and_sweep(tx: Transaction) -> None:
        renew_leases(tx, holder)
        end_abandoned_runs(tx, tx.now)

    open_store(database_url).write(renew_and_sweep)


def _this_process() -> Caller:
    global _caller
    pid = os.getpid()
    if _caller is None or _caller[0] != pid:
        _caller = (pid, Caller(client_version=LOCAL.client_version, holder=f"{platform.node()}:{pid}:{uuid7()}"))
    return _caller[1]


_caller: tuple[int, Caller] | None = None


def _as_http_error(call: Call[Any], error: ApiError) -> Exception:
    # Callers handle one kind of error wherever the API is; httpx is loaded only now that there is one.
    from prefect.client import _in_process_http  # noqa: PLC0415

    return _in_process_http.as_error(call, error)
