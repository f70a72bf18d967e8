"""How results are kept."""

from pydantic import Field

from prefect.settings._types import HomePath, also_named, in_home
from prefect.settings.base import PrefectBaseSettings, build_settings_config


class ResultsSettings(PrefectBaseSettings):
    """How results of flows and tasks are kept."""

    model_config = build_settings_config(("results",))

    default_serializer: str = Field(default="pickle", description="Serializer of results that name none.")
    persist_by_default: bool = Field(default=False, description="Store results of flows and tasks that do not say.")
    default_storage_block: str | None = Field(
        default=None,
        description="Block that stores results, as `type/name`. Without it they go to `results.local_storage_path`.",
        validation_alias=also_named(
            "default_storage_block",
            "PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK",
            "PREFECT_DEFAULT_RESULT_STORAGE_BLOCK",
        ),
    )
    local_storage_path: HomePath = Field(
        default_factory=in_home("storage"),
        description="Folder that stores results on this machine.",
        validation_alias=also_named(
            "local_storage_path", "PREFECT_RESULTS_LOCAL_STORAGE_PATH", "PREFECT_LOCAL_STORAGE_PATH"
        ),
    )
