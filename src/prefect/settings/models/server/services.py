"""The background services of the server."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from prefect.settings._types import DurationMapping, TextSet, also_named
from prefect.settings.base import PrefectBaseSettings, build_settings_config
from prefect.types import SecondsTimeDelta

_ENABLED = "Run the service."
_LOOP = "Seconds between rounds of the service."
_VACUUM_KINDS = frozenset({"events", "flow_runs", "orphans"})


def _formerly(service: str, field_name: str) -> Any:
    name = f"SERVICES_{service}_{field_name}".upper()
    return also_named(field_name, f"PREFECT_SERVER_{name}", f"PREFECT_API_{name}")


class ServicesBaseSetting(PrefectBaseSettings):
    """What every service has."""

    enabled: bool = Field(default=True, description=_ENABLED)


class ServerServicesCancellationCleanupSettings(ServicesBaseSetting):
    """The service that ends what belongs to cancelled runs."""

    model_config = build_settings_config(("server", "services", "cancellation_cleanup"))

    enabled: bool = Field(
        default=True, description=_ENABLED, validation_alias=_formerly("cancellation_cleanup", "enabled")
    )
    loop_seconds: float = Field(
        default=20, description=_LOOP, validation_alias=_formerly("cancellation_cleanup", "loop_seconds")
    )
    cancelling_timeout_seconds: float = Field(
        default=300, gt=0, description="Seconds that a run may be CANCELLING before it is set to CANCELLED."
    )


class ServerServicesCleanupReconcilerSettings(ServicesBaseSetting):
    """The service that hands clean-up work to workers again when it was lost."""

    model_config = build_settings_config(("server", "services", "cleanup_reconciler"))

    loop_seconds: float = Field(default=5, gt=0, description=_LOOP)
    batch_size: int = Field(default=100, gt=0, description="Items to look at in one round.")


def _read_vacuum_kinds(value: Any) -> Any:
    if isinstance(value, str):
        word = value.strip().lower()
        if word in ("", "0", "false", "no", "off", "f", "n"):
            return False
        if word in ("1", "true", "yes", "on", "t", "y"):
            return True
        if not word.startswith("["):
            value = {item.strip() for item in value.split(",") if item.strip()}
    if isinstance(value, (set, frozenset, list, tuple)):
        unknown = sorted(set(value) - _VACUUM_KINDS, key=str)
        if unknown:
            raise ValueError(f"unknown kinds {unknown!r}; expected some of {sorted(_VACUUM_KINDS)!r}, or true or false")
    return value


class ServerServicesDBVacuumSettings(ServicesBaseSetting):
    """The service that deletes what is older than its retention period."""

    model_config = build_settings_config(("server", "services", "db_vacuum"))

    enabled: Annotated[bool | TextSet | None, BeforeValidator(_read_vacuum_kinds)] = Field(  # type: ignore[assignment]
        default={"events"},
        description="What to delete: `events`, `flow_runs`, comma-separated. True is both, false only old events.",
    )
    loop_seconds: float = Field(default=3600, gt=0, description=_LOOP)
    orphan_cleanup_loop_seconds: float = Field(
        default=86_400, gt=0, description="Seconds between rounds that delete what belongs to deleted runs."
    )
    retention_period: SecondsTimeDelta = Field(
        default=timedelta(days=90),
        gt=timedelta(hours=1),
        description="How long finished flow runs are kept.",
    )
    batch_size: int = Field(default=200, gt=0, description="Rows to delete in one transaction.")
    event_retention_overrides: DurationMapping = Field(
        default={"prefect.flow-run.heartbeat": timedelta(days=7)},
        description="How long events of some names are kept, as a JSON object. At most `server.events.retention_period`.",
    )

    @property
    def enabled_vacuum_types(self) -> set[str]:
        """What is deleted: `events` at least if nothing is chosen, and with flow runs what they leave behind (`orphans`)."""
        kinds = {"events", "flow_runs"} if self.enabled is True else set(self.enabled or {"events"})
        return kinds | {"orphans"} if "flow_runs" in kinds else kinds


class ServerServicesEventLoggerSettings(ServicesBaseSetting):
    """The service that writes events to the server's log."""

    model_config = build_settings_config(("server", "services", "event_logger"))

    enabled: bool = Field(default=False, description=_ENABLED, validation_alias=_formerly("event_logger", "enabled"))


class ServerServicesEventPersisterSettings(ServicesBaseSetting):
    """The service that stores events."""

    model_config = build_settings_config(("server", "services", "event_persister"))

    enabled: bool = Field(default=True, description=_ENABLED, validation_alias=_formerly("event_persister", "enabled"))
    batch_size: int = Field(
        default=20,
        gt=0,
        description="Events to store in one transaction.",
        validation_alias=_formerly("event_persister", "batch_size"),
    )
    read_batch_size: int = Field(
        default=1,
        gt=0,
        description="Messages to take from the broker at a time.",
        validation_alias=_formerly("event_persister", "read_batch_size"),
    )
    flush_interval: float = Field(
        default=5,
        gt=0.0,
        description="Seconds after which a batch is stored though it is not full.",
        validation_alias=_formerly("event_persister", "flush_interval"),
    )
    queue_max_size: int = Field(default=50_000, gt=0, description="Events that may wait to be stored.")
    max_flush_retries: int = Field(default=5, gt=0, description="How often to try again to store a batch.")


class ServerServicesFlowRunLeasesSettings(ServicesBaseSetting):
    """The service that ends runs whose process has died."""

    model_config = build_settings_config(("server", "services", "flow_run_leases"))

    loop_seconds: float = Field(default=5, gt=0, description=_LOOP)
    lease_seconds: float = Field(
        default=60,
        ge=1,
        le=86_400,
        description="Seconds without a word of the process that runs a flow or task run, after which the run has crashed.",
    )


class ServerServicesForemanSettings(ServicesBaseSetting):
    """The service that watches over workers, pools, queues and deployments."""

    model_config = build_settings_config(("server", "services", "foreman"))

    enabled: bool = Field(default=True, description=_ENABLED, validation_alias=_formerly("foreman", "enabled"))
    loop_seconds: float = Field(default=15, description=_LOOP, validation_alias=_formerly("foreman", "loop_seconds"))
    inactivity_heartbeat_multiple: int = Field(
        default=3,
        description="Heartbeats that a worker may miss before it is offline.",
        validation_alias=_formerly("foreman", "inactivity_heartbeat_multiple"),
    )
    fallback_heartbeat_interval_seconds: int = Field(
        default=30,
        description="Seconds between heartbeats to expect of workers that do not say.",
        validation_alias=_formerly("foreman", "fallback_heartbeat_interval_seconds"),
    )
    deployment_last_polled_timeout_seconds: int = Field(
        default=60,
        description="Seconds without a poll after which a deployment is not ready.",
        validation_alias=_formerly("foreman", "deployment_last_polled_timeout_seconds"),
    )
    work_queue_last_polled_timeout_seconds: int = Field(
        default=60,
        description="Seconds without a poll after which a work queue is not ready.",
        validation_alias=_formerly("foreman", "work_queue_last_polled_timeout_seconds"),
    )


class ServerServicesLateRunsSettings(ServicesBaseSetting):
    """The service that marks runs as late."""

    model_config = build_settings_config(("server", "services", "late_runs"))

    enabled: bool = Field(default=True, description=_ENABLED, validation_alias=_formerly("late_runs", "enabled"))
    loop_seconds: float = Field(default=5, description=_LOOP, validation_alias=_formerly("late_runs", "loop_seconds"))
    after_seconds: SecondsTimeDelta = Field(
        default=timedelta(seconds=15),
        description="How long after its scheduled start a run is late.",
        validation_alias=_formerly("late_runs", "after_seconds"),
    )


class ServerServicesSchedulerSettings(ServicesBaseSetting):
    """The service that creates runs from schedules."""

    model_config = build_settings_config(("server", "services", "scheduler"))

    enabled: bool = Field(default=True, description=_ENABLED, validation_alias=_formerly("scheduler", "enabled"))
    loop_seconds: float = Field(default=60, description=_LOOP, validation_alias=_formerly("scheduler", "loop_seconds"))
    deployment_batch_size: int = Field(
        default=100,
        description="Deployments to look at in one step.",
        validation_alias=_formerly("scheduler", "deployment_batch_size"),
    )
    max_runs: int = Field(
        default=100,
        description="Most runs to schedule ahead for a schedule.",
        validation_alias=_formerly("scheduler", "max_runs"),
    )
    min_runs: int = Field(
        default=3,
        description="Fewest runs to schedule ahead for a schedule.",
        validation_alias=_formerly("scheduler", "min_runs"),
    )
    max_scheduled_time: SecondsTimeDelta = Field(
        default=timedelta(days=100),
        description="How far ahead runs are scheduled at most.",
        validation_alias=_formerly("scheduler", "max_scheduled_time"),
    )
    min_scheduled_time: SecondsTimeDelta = Field(
        default=timedelta(hours=1),
        description="How far ahead runs are scheduled at least.",
        validation_alias=_formerly("scheduler", "min_scheduled_time"),
    )
    insert_batch_size: int = Field(
        default=500,
        description="Runs to insert with one statement.",
        validation_alias=_formerly("scheduler", "insert_batch_size"),
    )
    recent_deployments_loop_seconds: float = Field(
        default=5, description="Seconds between rounds for deployments that changed just now."
    )


class ServerServicesPauseExpirationsSettings(ServicesBaseSetting):
    """The service that fails runs that were paused for too long."""

    model_config = build_settings_config(("server", "services", "pause_expirations"))

    enabled: bool = Field(
        default=True, description=_ENABLED, validation_alias=_formerly("pause_expirations", "enabled")
    )
    loop_seconds: float = Field(
        default=5, description=_LOOP, validation_alias=_formerly("pause_expirations", "loop_seconds")
    )


class ServerServicesRepossessorSettings(ServicesBaseSetting):
    """The service that frees slots whose lease ran out."""

    model_config = build_settings_config(("server", "services", "repossessor"))

    loop_seconds: float = Field(default=15, description=_LOOP)


class ServerServicesTaskRunRecorderSettings(ServicesBaseSetting):
    """The service that stores task runs from their events."""

    model_config = build_settings_config(("server", "services", "task_run_recorder"))

    enabled: bool = Field(
        default=True, description=_ENABLED, validation_alias=_formerly("task_run_recorder", "enabled")
    )
    read_batch_size: int = Field(default=1, gt=0, description="Messages to take from the broker at a time.")
    batch_size: int = Field(default=1, gt=0, description="Events to store in one transaction.")
    flush_interval: float = Field(
        default=5, gt=0.0, description="Seconds after which a batch is stored though it is not full."
    )


class ServerServicesTriggersSettings(ServicesBaseSetting):
    """The service that evaluates the triggers of automations."""

    model_config = build_settings_config(("server", "services", "triggers"))

    enabled: bool = Field(default=True, description=_ENABLED, validation_alias=_formerly("triggers", "enabled"))
    read_batch_size: int = Field(default=1, gt=0, description="Messages to take from the broker at a time.")
    pg_notify_reconnect_interval_seconds: int = Field(
        default=10, description="Seconds before a lost connection for notifications is made again."
    )
    pg_notify_heartbeat_interval_seconds: int = Field(
        default=5, description="Seconds between checks of the connection for notifications."
    )


class ServerServicesSettings(PrefectBaseSettings):
    """The background services of the server."""

    model_config = build_settings_config(("server", "services"))

    cancellation_cleanup: ServerServicesCancellationCleanupSettings = Field(
        default_factory=ServerServicesCancellationCleanupSettings, description="Ends what belongs to cancelled runs."
    )
    cleanup_reconciler: ServerServicesCleanupReconcilerSettings = Field(
        default_factory=ServerServicesCleanupReconcilerSettings, description="Hands out lost clean-up work again."
    )
    db_vacuum: ServerServicesDBVacuumSettings = Field(
        default_factory=ServerServicesDBVacuumSettings, description="Deletes what is old."
    )
    event_persister: ServerServicesEventPersisterSettings = Field(
        default_factory=ServerServicesEventPersisterSettings, description="Stores events."
    )
    event_logger: ServerServicesEventLoggerSettings = Field(
        default_factory=ServerServicesEventLoggerSettings, description="Writes events to the server's log."
    )
    flow_run_leases: ServerServicesFlowRunLeasesSettings = Field(
        default_factory=ServerServicesFlowRunLeasesSettings, description="Ends flow runs whose process has died."
    )
    foreman: ServerServicesForemanSettings = Field(
        default_factory=ServerServicesForemanSettings, description="Watches over workers, pools and queues."
    )
    late_runs: ServerServicesLateRunsSettings = Field(
        default_factory=ServerServicesLateRunsSettings, description="Marks runs as late."
    )
    scheduler: ServerServicesSchedulerSettings = Field(
        default_factory=ServerServicesSchedulerSettings, description="Creates runs from schedules."
    )
    pause_expirations: ServerServicesPauseExpirationsSettings = Field(
        default_factory=ServerServicesPauseExpirationsSettings, description="Fails runs that were paused for too long."
    )
    repossessor: ServerServicesRepossessorSettings = Field(
        default_factory=ServerServicesRepossessorSettings, description="Frees slots whose lease ran out."
    )
    task_run_recorder: ServerServicesTaskRunRecorderSettings = Field(
        default_factory=ServerServicesTaskRunRecorderSettings, description="Stores task runs from their events."
    )
    triggers: ServerServicesTriggersSettings = Field(
        default_factory=ServerServicesTriggersSettings, description="Evaluates the triggers of automations."
    )
