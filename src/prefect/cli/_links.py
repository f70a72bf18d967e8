"""Pages of the web interface that commands point to."""

import webbrowser

from prefect.cli._output import fail, success
from prefect.settings import get_current_settings


def link(path: str) -> str | None:
    """The address of a page, or None if no web interface is known."""
    base = get_current_settings().ui_url
    return f"{base.rstrip('/')}/{path}" if base else None


def needed_link(path: str, subject: str) -> str:
    """The address of a page. Ends the command if no web interface is known."""
    return link(path) or fail(
        f"Cannot make a link for {subject}: no web interface is known. Set PREFECT_API_URL to a server, or PREFECT_UI_URL."
    )


def open_page(path: str, subject: str) -> None:
    """Show a page in the user's browser."""
    address = needed_link(path, subject)
    if not webbrowser.open_new_tab(address):
        fail(f"There is no browser to open {subject} in. The page is {address}")
    success(f"Opened {subject} in the browser.")
