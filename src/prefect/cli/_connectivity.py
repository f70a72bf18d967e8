"""Finds out whether the API of a profile answers."""

from typing import Any, NamedTuple

from prefect.settings._derive import kind_of_server
from prefect.settings.context import temporary_settings, use_profile
from prefect.settings.profiles import Profile

TIMEOUT_SECONDS = 3.0


class Connection(NamedTuple):
    """Whether an API can be used, and what to tell the user about it."""

    is_usable: bool
    message: str


def check_connection(profile: Profile) -> Connection:
    """Ask the API of a profile, for at most three seconds."""
    with use_profile(profile, include_current_context=False) as active:
        kind, name = kind_of_server(active.settings), profile.name
        if kind == "unconfigured":
            return Connection(
                False,
                f"No API is configured in profile {name!r}. Set one: prefect config set PREFECT_API_URL=…, or run the"
                " API in each process: prefect config set PREFECT_SERVER_EPHEMERAL_ENABLED=true",
            )
        if kind == "ephemeral":
            return Connection(
                True, f"Connected to Prefect ephemeral server using profile {name!r}: the API runs in each process."
            )
        title = "Prefect Cloud" if kind == "cloud" else "Prefect server"
        with temporary_settings({"client.max_retries": 0}):
            return _ask(title, name, active.settings.api.url)


def _ask(title: str, name: str, url: str | None) -> Connection:
    # Imported here because most commands of profiles talk to no API.
    import httpx  # noqa: PLC0415

    from prefect.client.orchestration import get_client  # noqa: PLC0415
    from prefect.exceptions import ObjectNotFound  # noqa: PLC0415

    settings: dict[str, Any] = {"timeout": httpx.Timeout(TIMEOUT_SECONDS)}
    try:
        with get_client(httpx_settings=settings, sync_client=True) as client:
            client.hello()
    except httpx.HTTPStatusError as error:
        if error.response.status_code in (401, 403):
            return Connection(
                False, f"Error authenticating with {title} using profile {name!r}. Check the API key or auth string."
            )
        return Connection(False, f"{title} at {url} answered {error.response.status_code} using profile {name!r}.")
    except ObjectNotFound:
        return Connection(False, f"{title} at {url} answered 404 using profile {name!r}. Does its address end in /api?")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError) as error:
        return Connection(False, f"Error connecting to {title} at {url} using profile {name!r}: {error}")
    return Connection(True, f"Connected to {title} at {url} using profile {name!r}.")
