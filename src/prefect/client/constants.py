"""Facts about the API that clients speak."""

SERVER_API_VERSION = "0.8.4"
