"""The graph of a flow run."""

from pydantic import Field

from prefect.settings._types import also_named
from prefect.settings.base import PrefectBaseSettings, build_settings_config


class ServerFlowRunGraphSettings(PrefectBaseSettings):
    """The graph of a flow run."""

    model_config = build_settings_config(("server", "flow_run_graph"))

    max_nodes: int = Field(
        default=10_000,
        description="Most nodes that a graph may have.",
        validation_alias=also_named(
            "max_nodes", "PREFECT_SERVER_FLOW_RUN_GRAPH_MAX_NODES", "PREFECT_API_MAX_FLOW_RUN_GRAPH_NODES"
        ),
    )
    max_artifacts: int = Field(
        default=10_000,
        description="Most artifacts that a graph may show.",
        validation_alias=also_named(
            "max_artifacts", "PREFECT_SERVER_FLOW_RUN_GRAPH_MAX_ARTIFACTS", "PREFECT_API_MAX_FLOW_RUN_GRAPH_ARTIFACTS"
        ),
    )
