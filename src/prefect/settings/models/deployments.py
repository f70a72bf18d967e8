"""Defaults of deployments."""

from pydantic import Field

from prefect.settings._types import also_named
from prefect.settings.base import PrefectBaseSettings, build_settings_config


class DeploymentsSettings(PrefectBaseSettings):
    """Defaults for creating deployments."""

    model_config = build_settings_config(("deployments",))

    default_work_pool_name: str | None = Field(
        default=None,
        description="Work pool of deployments that name none.",
        validation_alias=also_named(
            "default_work_pool_name", "PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME", "PREFECT_DEFAULT_WORK_POOL_NAME"
        ),
    )
    default_docker_build_namespace: str | None = Field(
        default=None,
        description="Registry and namespace of image names that carry none.",
        validation_alias=also_named(
            "default_docker_build_namespace",
            "PREFECT_DEPLOYMENTS_DEFAULT_DOCKER_BUILD_NAMESPACE",
            "PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE",
        ),
    )
