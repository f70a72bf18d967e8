"""Tasks on the server."""

from datetime import timedelta
from typing import Any

from pydantic import Field

from prefect.settings._types import also_named
from prefect.settings.base import PrefectBaseSettings, build_settings_config
from prefect.types import SecondsTimeDelta


def _formerly(field_name: str) -> Any:
    name = field_name.upper()
    return also_named(field_name, f"PREFECT_SERVER_TASKS_SCHEDULING_{name}", f"PREFECT_TASK_SCHEDULING_{name}")


class ServerTasksSchedulingSettings(PrefectBaseSettings):
    """Background tasks on the server."""

    model_config = build_settings_config(("server", "tasks", "scheduling"))

    max_scheduled_queue_size: int = Field(
        default=1000,
        description="Background tasks of one kind that may wait for a task worker.",
        validation_alias=_formerly("max_scheduled_queue_size"),
    )
    max_retry_queue_size: int = Field(
        default=100,
        description="Background tasks of one kind that may wait to be handed out again.",
        validation_alias=_formerly("max_retry_queue_size"),
    )
    pending_task_timeout: SecondsTimeDelta = Field(
        default=timedelta(0),
        description="How long a background task may be PENDING before it is handed out again. 0 is for ever.",
        validation_alias=_formerly("pending_task_timeout"),
    )


class ServerTasksSettings(PrefectBaseSettings):
    """Tasks on the server."""

    model_config = build_settings_config(("server", "tasks"))

    tag_concurrency_slot_wait_seconds: float = Field(
        default=10,
        ge=0,
        description="Seconds before a task run is proposed again that found no free slot of its tags.",
        validation_alias=also_named(
            "tag_concurrency_slot_wait_seconds",
            "PREFECT_SERVER_TASKS_TAG_CONCURRENCY_SLOT_WAIT_SECONDS",
            "PREFECT_TASK_RUN_TAG_CONCURRENCY_SLOT_WAIT_SECONDS",
        ),
    )
    max_cache_key_length: int = Field(
        default=2000,
        description="Longest cache key, in characters.",
        validation_alias=also_named(
            "max_cache_key_length",
            "PREFECT_SERVER_TASKS_MAX_CACHE_KEY_LENGTH",
            "PREFECT_API_TASK_CACHE_KEY_MAX_LENGTH",
        ),
    )
    scheduling: ServerTasksSchedulingSettings = Field(
        default_factory=ServerTasksSchedulingSettings, description="Background tasks on the server."
    )
