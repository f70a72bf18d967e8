"""How the API client behaves."""

from pydantic import Field

from prefect.settings._types import also_named
from prefect.settings.base import PrefectBaseSettings, build_settings_config
from prefect.types import ClientRetryExtraCodes, JsonStringOrDict


class ClientMetricsSettings(PrefectBaseSettings):
    """Metrics that client processes publish."""

    model_config = build_settings_config(("client", "metrics"))

    enabled: bool = Field(
        default=False,
        description="Publish Prometheus metrics of the client over HTTP.",
        validation_alias=also_named("enabled", "PREFECT_CLIENT_METRICS_ENABLED", "PREFECT_CLIENT_ENABLE_METRICS"),
    )
    port: int = Field(default=4201, ge=0, le=65535, description="Port of the metrics endpoint.")


class ClientSettings(PrefectBaseSettings):
    """How requests to the API are made."""

    model_config = build_settings_config(("client",))

    max_retries: int = Field(
        default=5, ge=0, description="How often to repeat a request that failed for a passing reason."
    )
    retry_jitter_factor: float = Field(
        default=0.2, ge=0.0, description="Share of the delay by which retries are spread at random."
    )
    retry_extra_codes: ClientRetryExtraCodes = Field(
        default_factory=set, description="HTTP status codes to retry besides those that mean a passing failure."
    )
    csrf_support_enabled: bool = Field(
        default=True, description="Ask the server for a CSRF token and send it with requests that change something."
    )
    custom_headers: JsonStringOrDict = Field(
        default_factory=dict, description="Headers to add to each request, as a JSON object."
    )
    server_version_check_enabled: bool = Field(
        default=True, description="Compare the server's version with the client's and warn if they do not fit."
    )
    metrics: ClientMetricsSettings = Field(
        default_factory=ClientMetricsSettings, description="Metrics that client processes publish."
    )
