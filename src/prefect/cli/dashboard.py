"""`prefect dashboard`: the web interface."""

from prefect.cli._commands import command_group
from prefect.cli._links import open_page

dashboard = command_group("dashboard", "Open the web interface.")


@dashboard.command("open")
def open_() -> None:
    """Open the web interface in the browser."""
    open_page("", "the dashboard")
