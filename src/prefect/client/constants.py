"""Facts about the API that clients speak."""

SERVER_API_VERSION = "0.8.4"

EMBEDDED_URL = "http://ephemeral-prefect/api"
"""The address that clients show, and that links have, when the API is in this process."""
