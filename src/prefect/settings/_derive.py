"""Values that follow from other settings: addresses, the database's URL, levels of logging."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

if TYPE_CHECKING:
    from prefect.settings.models.root import Settings
    from prefect.settings.models.server.database import ServerDatabaseSettings

_CLOUD_EXAMPLE = "https://api.prefect.cloud/api/accounts/ACCOUNT-ID/workspaces/WORKSPACE-ID"


def interface_url(api_url: str | None, cloud_api_url: str, cloud_ui_url: str | None) -> str | None:
    """The address of the web interface that belongs to an API."""
    if not api_url:
        return None
    if cloud_ui_url and api_url.startswith(cloud_api_url):
        url = cloud_ui_url + api_url[len(cloud_api_url) :]
    else:
        url = re.sub(r"/api(/?$|(?=/accounts/))", "", api_url)
    return url.replace("/accounts/", "/account/", 1).replace("/workspaces/", "/workspace/", 1)


def misconfiguration_of_api_url(api_url: str | None) -> str | None:
    """What is wrong with an API URL that was probably meant for Prefect Cloud; None if nothing is."""
    if not api_url or "prefect.cloud" not in api_url:
        return None
    if "app.prefect.cloud" in api_url:
        problem = "is the address of the Cloud interface, not of its API"
    elif "/api" not in api_url.replace("//api.", "//"):
        problem = "lacks `/api` after the host"
    elif "/accounts/" not in api_url and "/workspaces/" in api_url:
        problem = "lacks the account"
    else:
        return None
    return f"PREFECT_API_URL {api_url!r} {problem}. It should look like {_CLOUD_EXAMPLE!r}."


def database_url(settings: "ServerDatabaseSettings", home: Path) -> str:
    """The URL of the server's database, from the configured URL or its parts.

    Raises:
        ValueError: A part is missing.
    """
    password = settings.password.get_secret_value() if settings.password else None
    if settings.connection_url is not None:
        return _with_password(settings.connection_url.get_secret_value(), password)
    if settings.driver == "postgresql+asyncpg":
        missing = [part for part in ("host", "user", "name") if not getattr(settings, part)]
        if missing:
            names = ", ".join(f"PREFECT_SERVER_DATABASE_{part.upper()}" for part in missing)
            raise ValueError(f"PREFECT_SERVER_DATABASE_DRIVER is {settings.driver!r}, which also needs: {names}.")
        credentials = quote(settings.user or "", safe="") + (f":{quote(password, safe='')}" if password else "")
        return f"{settings.driver}://{credentials}@{settings.host}:{settings.port or 5432}/{settings.name}"
    return f"sqlite+aiosqlite:///{settings.name or home / 'prefect.db'}"


def _with_password(url: str, password: str | None) -> str:
    for variable in ("PREFECT_SERVER_DATABASE_PASSWORD", "PREFECT_API_DATABASE_PASSWORD"):
        placeholder = f"${{{variable}}}"
        if placeholder in url:
            if password is None:
                raise ValueError(
                    f"PREFECT_SERVER_DATABASE_CONNECTION_URL contains {placeholder}, but no password is set."
                    " Set PREFECT_SERVER_DATABASE_PASSWORD."
                )
            url = url.replace(placeholder, quote(password, safe=""))
    return url


def kind_of_server(settings: "Settings") -> Literal["cloud", "server", "ephemeral", "unconfigured"]:
    """What answers the API calls of these settings."""
    if settings.connected_to_cloud:
        return "cloud"
    if settings.api.url:
        return "server"
    return "ephemeral" if settings.server.ephemeral.enabled else "unconfigured"
