"""Delivers calls to the core in this process: no HTTP, no server, no event loop."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any, TypeVar

from prefect._recorder import flush_recorder
from prefect.client._calls._call import Call
from prefect.client._holder import TELLINGS_PER_LEASE, this_holder
from prefect.client.constants import EMBEDDED_URL
from prefect.server.database.store import Transaction, open_store
from prefect.server.models.flow_run_leases import end_abandoned_runs, lease_span, renew_leases
from prefect.server.models.task_run_leases import end_abandoned_task_runs, renew_task_run_leases
from prefect.server.routes._table import LOCAL, ApiError, Caller, dispatch, dispatch_within

T = TypeVar("T")

_NOBODY = replace(LOCAL, base_url=EMBEDDED_URL)

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
        # Only what goes here: an API that this process uses besides, and that is away, must not hold up the answer.
        flush_recorder(database_url, _FLUSH_PATIENCE_SECONDS)
    return dispatch(open_store(database_url), call, _caller(call))


def send_together_in_process(calls: Callable[[], Generator[Call[Any], Any, T]], database_url: str) -> T:
    """Deliver calls in one transaction, each with the results of those before it. Errors as in `send_in_process`."""
    call: Call[Any] | None = None

    def unit(tx: Transaction) -> T:
        nonlocal call
        sequence, result = calls(), None
        while True:
            try:
                call = sequence.send(result)
            except StopIteration as finished:
                return finished.value
            result = call.parse(dispatch_within(tx, call, _caller(call)).body)

    try:
        return open_store(database_url).write(unit)
    except ApiError as error:
        assert call is not None
        return _refused(call, error)


def _refused(call: Call[T], error: ApiError) -> T:
    if error.status == 404 and call.has_absent:
        return call.absent
    call.fail(error.status, error if error.status in call.errors else _as_http_error(call, error))


def keep_runs_alive(database_url: str) -> float:
    """Renew the leases of the runs in this process, and end runs whose process has died.

    Returns:
        The seconds until the next time.
    """
    holder = this_holder()

    def renew_and_sweep(tx: Transaction) -> float:
        renew_leases(tx, holder)
        renew_task_run_leases(tx, holder)
        end_abandoned_runs(tx, tx.now)
        end_abandoned_task_runs(tx, tx.now)
        return lease_span().total_seconds() / TELLINGS_PER_LEASE

    return open_store(database_url).write(renew_and_sweep)


def _caller(call: Call[Any]) -> Caller:
    return _this_process() if call.from_holder else _NOBODY


def _this_process() -> Caller:
    global _as_holder
    holder = this_holder()
    if _as_holder is None or _as_holder.holder != holder:
        _as_holder = replace(_NOBODY, holder=holder)
    return _as_holder


_as_holder: Caller | None = None


def _as_http_error(call: Call[Any], error: ApiError) -> Exception:
    # Callers handle one kind of error wherever the API is; httpx is loaded only now that there is one.
    from prefect.client import _in_process_http  # noqa: PLC0415

    return _in_process_http.as_error(call, error)
