"""Defaults of tasks."""

from pydantic import Field

from prefect.settings._types import also_named
from prefect.settings.base import PrefectBaseSettings, build_settings_config
from prefect.types import TaskRetryDelaySeconds


class TasksRunnerSettings(PrefectBaseSettings):
    """Defaults of task runners."""

    model_config = build_settings_config(("tasks", "runner"))

    thread_pool_max_workers: int | None = Field(
        default=None,
        gt=0,
        description="Threads of a ThreadPoolTaskRunner. Unset means no limit.",
        validation_alias=also_named(
            "thread_pool_max_workers",
            "PREFECT_TASKS_RUNNER_THREAD_POOL_MAX_WORKERS",
            "PREFECT_TASK_RUNNER_THREAD_POOL_MAX_WORKERS",
        ),
    )
    process_pool_max_workers: int | None = Field(
        default=None, gt=0, description="Processes of a ProcessPoolTaskRunner. Unset means the number of CPUs."
    )


class TasksSchedulingSettings(PrefectBaseSettings):
    """Background tasks, on the side that submits them."""

    model_config = build_settings_config(("tasks", "scheduling"))

    default_storage_block: str | None = Field(
        default=None,
        description="Block that stores the parameters of background tasks, as `type/name`.",
        validation_alias=also_named(
            "default_storage_block",
            "PREFECT_TASKS_SCHEDULING_DEFAULT_STORAGE_BLOCK",
            "PREFECT_TASK_SCHEDULING_DEFAULT_STORAGE_BLOCK",
        ),
    )
    delete_failed_submissions: bool = Field(
        default=True,
        description="Delete a background task run whose parameters cannot be read.",
        validation_alias=also_named(
            "delete_failed_submissions",
            "PREFECT_TASKS_SCHEDULING_DELETE_FAILED_SUBMISSIONS",
            "PREFECT_TASK_SCHEDULING_DELETE_FAILED_SUBMISSIONS",
        ),
    )


class TasksSettings(PrefectBaseSettings):
    """Defaults of tasks, read when a task is defined."""

    model_config = build_settings_config(("tasks",))

    refresh_cache: bool = Field(default=False, description="Run cached tasks again and replace what is cached.")
    default_no_cache: bool = Field(default=False, description="Do not cache tasks that name no cache policy.")
    disable_caching: bool = Field(default=False, description="Do not cache any task, whatever its policy.")
    default_retries: int = Field(
        default=0,
        ge=0,
        description="How often to repeat a task that failed.",
        validation_alias=also_named("default_retries", "PREFECT_TASKS_DEFAULT_RETRIES", "PREFECT_TASK_DEFAULT_RETRIES"),
    )
    default_retry_delay_seconds: TaskRetryDelaySeconds = Field(
        default=0,
        description="Seconds before a retry, or several numbers, one for each retry.",
        validation_alias=also_named(
            "default_retry_delay_seconds",
            "PREFECT_TASKS_DEFAULT_RETRY_DELAY_SECONDS",
            "PREFECT_TASK_DEFAULT_RETRY_DELAY_SECONDS",
        ),
    )
    default_persist_result: bool | None = Field(
        default=None, description="Store results of tasks that do not say. Unset means: as the flow around them."
    )
    runner: TasksRunnerSettings = Field(default_factory=TasksRunnerSettings, description="Defaults of task runners.")
    scheduling: TasksSchedulingSettings = Field(
        default_factory=TasksSchedulingSettings, description="Background tasks, on the side that submits them."
    )
