"""Runs background work again and again, and lives with an API that is away for a while."""

from __future__ import annotations

import asyncio
import logging
import threading
import traceback
from collections import deque
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any

import httpx

from prefect._extras import import_extra
from prefect.utilities.math import clamped_poisson_interval

__all__ = ["critical_service_loop", "start_client_metrics_server", "stop_client_metrics_server"]


async def critical_service_loop(
    workload: Callable[..., Coroutine[Any, Any, Any]],
    interval: float,
    memory: int = 10,
    consecutive: int = 3,
    backoff: int = 1,
    printer: Callable[..., None] = print,
    run_once: bool = False,
    jitter_range: float | None = None,
) -> None:
    """Call an async function again and again, until it raises something that is worth ending for.

    Failures of the network and answers of the 500 kind are waited out: after a number of them in a row, the interval
    is doubled; after as many rounds of that as allowed, the loop ends.

    Args:
        workload: The function.
        interval: The seconds between two calls.
        memory: How many errors to remember for the report.
        consecutive: How many failures in a row make a round.
        backoff: How many rounds are allowed.
        printer: Called with each line of the report.
        run_once: Return after one call.
        jitter_range: How far, as a part of it, the interval may be exceeded at random; not at all unless given.

    Raises:
        RuntimeError: The rounds are used up.
    """
    failures: deque[Exception] = deque(maxlen=memory)
    failed_in_a_row = 0
    rounds = 0
    while True:
        try:
            await workload()
            failed_in_a_row = 0
            if rounds:
                rounds = 0
                printer("Resetting backoff due to successful run.")
        except (httpx.TransportError, httpx.HTTPStatusError) as error:
            if isinstance(error, httpx.HTTPStatusError) and not error.response.is_server_error:
                raise
            failures.append(error)
            failed_in_a_row += 1
        if failed_in_a_row >= consecutive:
            _report(failures, failed_in_a_row, printer)
            rounds += 1
            if rounds >= backoff:
                raise RuntimeError("Service exceeded error threshold.")
            failed_in_a_row = 0
            failures.clear()
            printer(f"Backing off due to consecutive errors, using increased interval of {interval * 2**rounds} s.")
        if run_once:
            return
        pause = interval * 2**rounds
        await asyncio.sleep(pause if jitter_range is None else clamped_poisson_interval(pause, jitter_range))


def _report(failures: deque[Exception], count: int, printer: Callable[..., None]) -> None:
    printer(f"Failed the last {count} attempts. Please check your environment and configuration.")
    printer("Examples of recent errors:")
    by_kind = {type(failure): failure for failure in failures}
    for failure in by_kind.values():
        printer("".join(traceback.format_exception(type(failure), failure, failure.__traceback__)))


# --- metrics ----------------------------------------------------------------------------------------------------------

_server: Any = None
_server_lock = threading.Lock()


def start_client_metrics_server() -> None:
    """Serve this process's metrics to Prometheus, if the settings say so and it is not done already.

    They are served until the process ends. Where the port is taken, by another runner of this machine for one, a warning says so.

    Raises:
        ModuleNotFoundError: The settings say so, but the package for it is missing.
    """
    global _server
    # The settings live one layer up.
    metrics = import_module("prefect.settings").get_current_settings().client.metrics
    if not metrics.enabled:
        return
    with _server_lock:
        if _server is None:
            exporter = import_extra("prometheus_client", "metrics", "PREFECT_CLIENT_METRICS_ENABLED")
            import prefect._client_metrics  # noqa: F401, PLC0415 - so that they are there from the start

            try:
                _server = exporter.start_http_server(port=metrics.port)
            except OSError as error:
                logging.getLogger("prefect.client.metrics").warning(
                    "The metrics of this process are not served: port %s: %s. PREFECT_CLIENT_METRICS_PORT chooses another.",
                    metrics.port,
                    error,
                )


def stop_client_metrics_server() -> None:
    """Stop serving metrics, if it is done."""
    global _server
    with _server_lock:
        if _server is not None:
            server, thread = _server
            server.shutdown()
            server.server_close()
            thread.join()
            _server = None
