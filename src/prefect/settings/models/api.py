"""How to reach the Prefect API."""

import os

from pydantic import Field, SecretStr

from prefect.settings.base import PrefectBaseSettings, build_settings_config


class APISettings(PrefectBaseSettings):
    """How this process reaches the Prefect API."""

    model_config = build_settings_config(("api",))

    url: str | None = Field(
        default=None, description="URL of the API, up to and including `/api`. Without it the API runs in this process."
    )
    auth_string: SecretStr | None = Field(
        default=None, description="`user:password` to send with HTTP Basic authentication to a self-hosted server."
    )
    key: SecretStr | None = Field(default=None, description="API key to send as bearer token.")
    tls_insecure_skip_verify: bool = Field(
        default=False, description="Accept any TLS certificate of the API. Unsafe outside of tests."
    )
    ssl_cert_file: str | None = Field(
        default_factory=lambda: os.environ.get("SSL_CERT_FILE"),
        description="File with the certificate authorities to trust. Follows the variable SSL_CERT_FILE if not set.",
    )
    enable_http2: bool = Field(default=False, description="Speak HTTP/2 with the API where it can.")
    request_timeout: float = Field(default=60.0, description="Seconds to wait for an answer of the API.")
