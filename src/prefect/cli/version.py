"""`prefect version`: versions of everything that matters."""

import platform
import sys
from collections.abc import Iterator

import click
import pydantic

from prefect._version import __version__
from prefect.cli import _params
from prefect.cli._commands import command
from prefect.client.constants import SERVER_API_VERSION
from prefect.settings import get_current_settings
from prefect.settings._derive import kind_of_server
from prefect.settings.context import get_active_settings


@command("version")
@_params.switch("--omit-integrations", help="Leave out installed integration packages.")
def version(omit_integrations: bool) -> None:
    """Show versions of everything that matters."""
    for indent, label, value in _lines(omit_integrations):
        click.echo(f"{'  ' * indent + label + ':':<22}{value}".rstrip())


def _lines(omit_integrations: bool) -> Iterator[tuple[int, str, str]]:

    settings = get_current_settings()
    server = kind_of_server(settings)
    yield 0, "Version", __version__
    yield 0, "API version", SERVER_API_VERSION
    yield 0, "Python version", platform.python_version()
    yield 0, "Git commit", "unknown"
    yield 0, "Built", "unknown"
    yield 0, "OS/Arch", f"{sys.platform}/{platform.machine()}"
    yield 0, "Profile", get_active_settings().profile_name
    yield 0, "Server type", server
    yield 0, "Pydantic version", pydantic.VERSION
    if server == "ephemeral":
        yield 0, "Server", ""
        yield from _database(settings.server.database.connection_url)
    integrations = [] if omit_integrations else sorted(_integrations().items())
    if integrations:
        yield 0, "Integrations", ""
        for name, installed in integrations:
            yield 1, name, installed


def _database(url: object) -> Iterator[tuple[int, str, str]]:
    text = url.get_secret_value() if hasattr(url, "get_secret_value") else str(url)  # type: ignore[attr-defined]
    if text.startswith("sqlite"):
        import sqlite3  # noqa: PLC0415 - only where it is the database

        yield 1, "Database", "sqlite"
        yield 1, "SQLite version", sqlite3.sqlite_version
    else:
        yield 1, "Database", text.partition(":")[0].partition("+")[0]


def _integrations() -> dict[str, str]:
    from importlib.metadata import distributions  # noqa: PLC0415 - slow to load, and only needed here

    found: dict[str, str] = {}
    for distribution in distributions():
        name = distribution.metadata["Name"] or ""
        if name.startswith("prefect-"):
            found[name] = distribution.version
    return found
