"""Which background services there are, what switches each on, and how often each makes a round.

Nothing is reported to anybody: the service that upstream calls telemetry does not exist here. Events, logs and task runs
are stored by the requests that bring them, so that no service has to do it later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Protocol

from prefect.server.database.store import Transaction
from prefect.settings import Settings
from prefect.settings.models.server.services import ServerServicesSettings


class Service(Protocol):
    """What a service does in one round, in one transaction."""

    def run_once(self, tx: Transaction, now: datetime) -> int:
        """Do what is due at an instant; return how much was done."""
        ...


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """One background service.

    Attributes:
        name: Its name.
        target: `module`, or `module:attribute`, of what has its `run_once`; imported when it runs.
        description: What it is responsible for.
        setting: The variable that switches it on and off; None when it always runs.
        is_enabled: Reads that setting.
        interval_seconds: Seconds between rounds, from the settings.
        full_round: A round that did so much is followed by another one at once.
        settles_seconds: How long it waits after a time in which nobody could reach the server, before it judges by
            what it has not heard.
        is_woken_by: The first segments of the paths whose changing requests make a round worthwhile at once.
    """

    name: str
    target: str
    description: str
    setting: str | None
    is_enabled: Callable[[ServerServicesSettings], bool]
    interval_seconds: Callable[[ServerServicesSettings], float]
    full_round: int | None = None
    settles_seconds: Callable[[ServerServicesSettings], float] = lambda _: 0.0
    is_woken_by: tuple[str, ...] = ()

    def load(self) -> Service:
        """The service itself."""
        module, _, attribute = self.target.partition(":")
        found = import_module(module)
        return getattr(found, attribute) if attribute else found  # type: ignore[return-value]


def _variable(group: str) -> str:
    return f"PREFECT_SERVER_SERVICES_{group.upper()}_ENABLED"


_ONCE_IN_A_WHILE_SECONDS = 86400.0
"""Between rounds that only the first of a server needs."""

SERVICES: tuple[ServiceEntry, ...] = (
    ServiceEntry(
        "scheduler",
        "prefect.server.services.scheduler:scheduler",
        "Makes the runs that schedules ask for.",
        _variable("scheduler"),
        lambda services: services.scheduler.enabled,
        lambda services: services.scheduler.loop_seconds,
    ),
    ServiceEntry(
        "recent_deployments_scheduler",
        "prefect.server.services.scheduler:recent_deployments_scheduler",
        "Makes the runs of deployments that have just changed.",
        _variable("scheduler"),
        lambda services: services.scheduler.enabled,
        lambda services: services.scheduler.recent_deployments_loop_seconds,
        is_woken_by=("deployments",),
    ),
    ServiceEntry(
        "late_runs",
        "prefect.server.services.late_runs",
        "Marks runs that have not started in time as late.",
        _variable("late_runs"),
        lambda services: services.late_runs.enabled,
        lambda services: services.late_runs.loop_seconds,
        full_round=200,
    ),
    ServiceEntry(
        "pause_expirations",
        "prefect.server.services.pause_expirations",
        "Fails runs that were paused for too long.",
        _variable("pause_expirations"),
        lambda services: services.pause_expirations.enabled,
        lambda services: services.pause_expirations.loop_seconds,
        full_round=200,
    ),
    ServiceEntry(
        "cancellation_cleanup",
        "prefect.server.services.cancellation_cleanup",
        "Ends what belongs to cancelled runs, and cancellations that nobody carries out.",
        _variable("cancellation_cleanup"),
        lambda services: services.cancellation_cleanup.enabled,
        lambda services: services.cancellation_cleanup.loop_seconds,
        full_round=1,
    ),
    ServiceEntry(
        "flow_run_leases",
        "prefect.server.services.flow_run_leases:flow_run_leases",
        "Ends the runs whose process has vanished.",
        _variable("flow_run_leases"),
        lambda services: services.flow_run_leases.enabled,
        lambda services: services.flow_run_leases.loop_seconds,
        full_round=200,
        settles_seconds=lambda services: services.flow_run_leases.lease_seconds,
    ),
    ServiceEntry(
        "block_types",
        "prefect.server.services.block_types",
        "Registers the block types that belong to the product.",
        None,
        lambda _: True,
        lambda _: _ONCE_IN_A_WHILE_SECONDS,
    ),
    ServiceEntry(
        "repossessor",
        "prefect.server.models.concurrency_leases",
        "Frees the slots of concurrency limits whose lease ran out.",
        _variable("repossessor"),
        lambda services: services.repossessor.enabled,
        lambda services: services.repossessor.loop_seconds,
        full_round=100,
    ),
    ServiceEntry(
        "foreman",
        "prefect.server.services.foreman",
        "Tells which work pools, work queues and deployments nobody serves any more.",
        _variable("foreman"),
        lambda services: services.foreman.enabled,
        lambda services: services.foreman.loop_seconds,
        full_round=200,
        settles_seconds=lambda _: 90.0,
    ),
    ServiceEntry(
        "event_vacuum",
        "prefect.server.services.event_vacuum",
        "Deletes events and audit entries that are older than their retention period.",
        _variable("db_vacuum"),
        lambda services: bool(services.db_vacuum.enabled) and "events" in services.db_vacuum.enabled_vacuum_types,
        lambda services: services.db_vacuum.loop_seconds,
        full_round=1,
    ),
    ServiceEntry(
        "flow_run_vacuum",
        "prefect.server.services.flow_run_vacuum",
        "Deletes flow runs that ended longer ago than their retention period.",
        _variable("db_vacuum"),
        lambda services: "flow_runs" in services.db_vacuum.enabled_vacuum_types,
        lambda services: services.db_vacuum.loop_seconds,
        full_round=1,
    ),
    ServiceEntry(
        "orphan_vacuum",
        "prefect.server.services.orphan_vacuum",
        "Deletes logs and artifacts of flow runs that are gone.",
        _variable("db_vacuum"),
        lambda services: "orphans" in services.db_vacuum.enabled_vacuum_types,
        lambda services: services.db_vacuum.orphan_cleanup_loop_seconds,
        full_round=1,
    ),
)
"""Every service; a new one is a module with `run_once` and an entry here."""


def enabled_services(settings: Settings, only: set[str] | None = None) -> list[ServiceEntry]:
    """The services that the settings switch on.

    Args:
        settings: Of the server.
        only: The names of those to take of them; all when left out.

    Raises:
        ValueError: `only` names a service that does not exist.
    """
    known = {entry.name for entry in SERVICES}
    if only is not None and not only <= known:
        raise ValueError(f"Unknown services {sorted(only - known)!r}; there are {sorted(known)!r}.")
    return [
        entry
        for entry in SERVICES
        if entry.is_enabled(settings.server.services) and (only is None or entry.name in only)
    ]
