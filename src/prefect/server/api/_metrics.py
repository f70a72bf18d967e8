"""What a server tells Prometheus. Loads the client library of Prometheus, so it is imported only where that is wanted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from prefect import _client_metrics
from prefect.server.api._observing import Exchange
from prefect.server.api._responses import Answer
from prefect.server.database.errors import StorageError
from prefect.server.database.store import Store
from prefect.server.models.run_counts import RunCounts, count_runs_by_state

__all__ = ["ServerMetrics"]

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_COUNT_EVERY_SECONDS = 5.0
_COUNT_PAUSE = 20
"""Counting all runs may cost a twentieth of the time at most, however many there are."""

# What the clients of websockets count stands in the registry of the process once this is loaded.
assert _client_metrics.EVENTS_EMITTED is not None


class ServerMetrics:
    """Counts what one server of this process does, and prints it together with what the process itself counts."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "prefect_server_request_duration_seconds",
            "Time from a request's arrival to the end of its answer",
            ["method", "route", "status"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._rounds = Histogram(
            "prefect_server_service_round_duration_seconds",
            "Time that one round of a background service took",
            ["service"],
            buckets=(*_BUCKETS, 30.0, 60.0),
            registry=self._registry,
        )
        self._failures = Counter(
            "prefect_server_service_failures",
            "Rounds of background services that failed",
            ["service"],
            registry=self._registry,
        )

    def watch(self, store: Store, open_sockets: Callable[[], Mapping[str, int]]) -> None:
        """Report the state of a database, and of the websockets, whenever metrics are asked for."""
        self._registry.register(_Present(store, open_sockets))

    def see_exchange(self, exchange: Exchange) -> None:
        """Count a request."""
        self._requests.labels(exchange.method, exchange.route, str(exchange.status)).observe(exchange.seconds)

    def see_round(self, service: str, seconds: float, failed: bool) -> None:
        """Count a round of a background service."""
        self._rounds.labels(service).observe(seconds)
        failures = self._failures.labels(service)
        if failed:
            failures.inc()

    def page(self) -> Answer:
        """All metrics in the text format of Prometheus."""
        return Answer(200, generate_latest(REGISTRY) + generate_latest(self._registry), CONTENT_TYPE_LATEST)


class _Present(Collector):
    """What is read at the moment of asking."""

    def __init__(self, store: Store, open_sockets: Callable[[], Mapping[str, int]]) -> None:
        self._store, self._open_sockets = store, open_sockets
        self._lock = threading.Lock()
        self._counts: RunCounts | None = None
        self._count_again = 0.0

    def describe(self) -> list[Metric]:
        # Without it the registry would collect, and so count all runs, to learn the names.
        return []

    def collect(self) -> Iterator[Metric]:
        for name, value in self._store.load().items():
            yield _gauge(f"prefect_server_database_{name}", f"Database: {name.replace('_', ' ')}", {(): value})
        sockets = {(path,): number for path, number in self._open_sockets().items()}
        yield _gauge("prefect_server_websockets_open", "Websockets that are open", sockets, ["route"])
        counts = self._run_counts()
        yield _gauge("prefect_server_database_up", "Whether runs could be counted", {(): counts is not None})
        if counts is not None:
            help, label = "Runs by the type of their state", ["state"]
            yield _gauge("prefect_flow_runs", help, {(type,): n for type, n in counts.flow_runs.items()}, label)
            yield _gauge("prefect_task_runs", help, {(type,): n for type, n in counts.task_runs.items()}, label)
            yield _gauge("prefect_flow_runs_late", "Runs that should have started", {(): counts.late_flow_runs})

    def _run_counts(self) -> RunCounts | None:
        with self._lock:
            begun = time.monotonic()
            if begun >= self._count_again:
                try:
                    self._counts = self._store.read(count_runs_by_state)
                except StorageError:
                    self._counts = None  # what else there is to say is said all the same
                ended = time.monotonic()
                self._count_again = ended + max(_COUNT_EVERY_SECONDS, _COUNT_PAUSE * (ended - begun))
            return self._counts


def _gauge(name: str, help: str, values: Mapping[tuple[str, ...], float], labels: list[str] | None = None) -> Metric:
    gauge = GaugeMetricFamily(name, help, labels=labels or [])
    for key, value in values.items():
        gauge.add_metric(key, float(value))
    return gauge
