"""Settings of the server, one group a file; `root` holds them all."""

from prefect.settings.models.server.root import ServerSettings

__all__ = ["ServerSettings"]
