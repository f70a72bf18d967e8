"""All settings of the server."""

from typing import Any

from pydantic import Field

from prefect.settings._types import HomePath, also_named, in_home
from prefect.settings.base import PrefectBaseSettings, build_settings_config
from prefect.settings.models.server.api import ServerAPISettings
from prefect.settings.models.server.concurrency import ServerConcurrencySettings
from prefect.settings.models.server.database import ServerDatabaseSettings
from prefect.settings.models.server.deployments import ServerDeploymentsSettings
from prefect.settings.models.server.docket import ServerDocketSettings
from prefect.settings.models.server.ephemeral import ServerEphemeralSettings
from prefect.settings.models.server.events import ServerEventsSettings
from prefect.settings.models.server.flow_run_graph import ServerFlowRunGraphSettings
from prefect.settings.models.server.logs import ServerLogsSettings
from prefect.settings.models.server.services import ServerServicesSettings
from prefect.settings.models.server.tasks import ServerTasksSettings
from prefect.settings.models.server.ui import ServerUISettings
from prefect.settings.models.server.worker_channel import ServerWorkerChannelSettings
from prefect.types import LogLevel


def _formerly(field_name: str, variable: str) -> Any:
    return also_named(field_name, f"PREFECT_SERVER_{field_name.upper()}", variable)


class ServerSettings(PrefectBaseSettings):
    """Settings of the server."""

    model_config = build_settings_config(("server",))

    logging_level: LogLevel = Field(
        default="WARNING",
        description="Level of the server's loggers.",
        validation_alias=_formerly("logging_level", "PREFECT_LOGGING_SERVER_LEVEL"),
    )
    analytics_enabled: bool = Field(default=True, description="Allow the server to report that it is used.")
    metrics_enabled: bool = Field(
        default=False,
        description="Publish Prometheus metrics at `/api/metrics`.",
        validation_alias=_formerly("metrics_enabled", "PREFECT_API_ENABLE_METRICS"),
    )
    log_retryable_errors: bool = Field(
        default=False,
        description="Log errors after which the client is asked to try again.",
        validation_alias=_formerly("log_retryable_errors", "PREFECT_API_LOG_RETRYABLE_ERRORS"),
    )
    register_blocks_on_start: bool = Field(
        default=True,
        description="Register the types of the built-in blocks when the server starts.",
        validation_alias=_formerly("register_blocks_on_start", "PREFECT_API_BLOCKS_REGISTER_ON_START"),
    )
    memoize_block_auto_registration: bool = Field(
        default=True,
        description="Remember which block types are registered, in `memo_store_path`.",
        validation_alias=_formerly("memoize_block_auto_registration", "PREFECT_MEMOIZE_BLOCK_AUTO_REGISTRATION"),
    )
    memo_store_path: HomePath = Field(
        default_factory=in_home("memo_store.toml"),
        description="File that remembers which block types are registered.",
        validation_alias=_formerly("memo_store_path", "PREFECT_MEMO_STORE_PATH"),
    )
    deployment_schedule_max_scheduled_runs: int = Field(
        default=50,
        description="Most runs that one schedule of a deployment may have ahead.",
        validation_alias=_formerly(
            "deployment_schedule_max_scheduled_runs", "PREFECT_DEPLOYMENT_SCHEDULE_MAX_SCHEDULED_RUNS"
        ),
    )
    api: ServerAPISettings = Field(default_factory=ServerAPISettings, description="The HTTP interface.")
    concurrency: ServerConcurrencySettings = Field(
        default_factory=ServerConcurrencySettings, description="Concurrency limits."
    )
    database: ServerDatabaseSettings = Field(default_factory=ServerDatabaseSettings, description="The database.")
    deployments: ServerDeploymentsSettings = Field(
        default_factory=ServerDeploymentsSettings, description="Deployments."
    )
    docket: ServerDocketSettings = Field(
        default_factory=ServerDocketSettings, description="The queue of background work."
    )
    ephemeral: ServerEphemeralSettings = Field(
        default_factory=ServerEphemeralSettings, description="The API that runs inside a client process."
    )
    events: ServerEventsSettings = Field(default_factory=ServerEventsSettings, description="Events.")
    flow_run_graph: ServerFlowRunGraphSettings = Field(
        default_factory=ServerFlowRunGraphSettings, description="The graph of a flow run."
    )
    logs: ServerLogsSettings = Field(default_factory=ServerLogsSettings, description="Logs.")
    services: ServerServicesSettings = Field(
        default_factory=ServerServicesSettings, description="The background services."
    )
    tasks: ServerTasksSettings = Field(default_factory=ServerTasksSettings, description="Tasks.")
    ui: ServerUISettings = Field(default_factory=ServerUISettings, description="The web interface.")
    worker_channel: ServerWorkerChannelSettings = Field(
        default_factory=ServerWorkerChannelSettings, description="The channel between server and workers."
    )
