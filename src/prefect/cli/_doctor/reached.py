"""Checks of the API: whether it is there, lets this client in, fits its version, and has the same time."""

from collections.abc import Iterator
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from prefect._version import __version__
from prefect.cli._doctor.findings import Finding
from prefect.client._http import HTTPSender
from prefect.settings._derive import kind_of_server, misconfiguration_of_api_url
from prefect.settings.context import temporary_settings

_PATIENCE_SECONDS = 5.0
MOST_SKEW_SECONDS = 5.0


def check_api(settings: Any) -> Iterator[Finding]:
    """Ask the API that the settings name."""
    kind, url = kind_of_server(settings), settings.api.url
    if kind == "unconfigured":
        yield Finding(
            "no-api",
            "error",
            "There is no PREFECT_API_URL, and PREFECT_SERVER_EPHEMERAL_ENABLED is off.",
            "Flows and commands have no API to talk to.",
            "`prefect config set PREFECT_API_URL=http://HOST:4200/api`, or `prefect config set "
            "PREFECT_SERVER_EPHEMERAL_ENABLED=true` to run the API in each process.",
        )
    if kind in ("unconfigured", "ephemeral"):
        return
    problem = misconfiguration_of_api_url(url)
    if problem is not None:
        cure = "Correct it: `prefect config set PREFECT_API_URL=…`."
        yield Finding("wrong-api-url", "error", problem, "No request arrives where it should.", cure)
        return
    with temporary_settings({"client.max_retries": 0}) as active:
        sender = HTTPSender.to(active, url, httpx_settings={"timeout": _PATIENCE_SECONDS})
    with sender.client as client:
        yield from _ask(client, url.rstrip("/"), settings)


def _ask(client: httpx.Client, url: str, settings: Any) -> Iterator[Finding]:
    try:
        is_api = _is_health(client.get(f"{url}/health"))
        if not is_api:
            yield _wrong_path(client, url)
            return
        answer = client.get(f"{url}/admin/version")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError) as error:
        yield Finding(
            "api-unreachable",
            "error",
            f"The API at {url} does not answer: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
            "Nothing that needs the API works: flows fail to start, and workers get no work.",
            "See that the server runs (`prefect server start`) and that host, port and firewall let you through; or correct "
            "the address: `prefect config set PREFECT_API_URL=…`; or run without a server: `prefect config unset PREFECT_API_URL`.",
        )
        return
    if answer.status_code in (401, 403):
        yield _refused(url, answer.status_code, settings)
        return
    yield from _compare_versions(url, answer)
    yield from compare_clocks(f"the server at {url}", _time_of(answer))


def _is_health(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and answer.text.strip() == "true"


def _wrong_path(client: httpx.Client, url: str) -> Finding:
    if not url.endswith("/api") and _is_health(client.get(f"{url}/api/health")):
        cure = f"`prefect config set PREFECT_API_URL={url}/api`."
        what = f"PREFECT_API_URL is {url!r}, which lacks `/api` at its end: the API is at {url}/api."
    else:
        cure = "Correct the address: `prefect config set PREFECT_API_URL=http://HOST:4200/api`."
        what = f"Something answers at {url!r}, but it is no Prefect API."
    return Finding("wrong-api-path", "error", what, "Requests get pages that are not meant for them, or 404.", cure)


def _refused(url: str, status: int, settings: Any) -> Finding:
    if settings.api.key:
        sent, variable = "with the key of PREFECT_API_KEY", "PREFECT_API_KEY"
    elif settings.api.auth_string:
        sent, variable = "with the password of PREFECT_API_AUTH_STRING", "PREFECT_API_AUTH_STRING"
    else:
        sent, variable = "without a password", "PREFECT_API_AUTH_STRING"
    return Finding(
        "authentication-refused",
        "error",
        f"The API at {url} refuses requests {sent} ({status}).",
        "Nothing that needs the API works.",
        f"Set the one that the server expects: `prefect config set {variable}=…`. The server's own is in its "
        "PREFECT_SERVER_API_AUTH_STRING.",
    )


def _compare_versions(url: str, answer: httpx.Response) -> Iterator[Finding]:
    theirs = answer.json() if answer.status_code == 200 else None
    if not isinstance(theirs, str):
        return
    there, here = _release(theirs), _release(__version__)
    if there[:2] == here[:2]:
        return
    older = "server" if there < here else "client"
    yield Finding(
        "version-drift",
        "error" if there[:1] != here[:1] else "warning",
        f"This client is version {__version__}, the server at {url} is version {theirs}.",
        f"The {older} is older: what the other one has learnt since then fails or is ignored. Major versions must match."
        if there[:1] != here[:1]
        else f"The {older} is older: what the other one has learnt since then fails or is ignored.",
        "Upgrade the server first, then clients and workers: `pip install --upgrade prefect`."
        if older == "server"
        else f"Upgrade this client: `pip install --upgrade prefect`; the server has {theirs}.",
    )


def _release(version: str) -> tuple[int, ...]:
    parts = version.partition("+")[0].split(".")[:3]
    return tuple(int("".join(filter(str.isdigit, part[:4])) or 0) for part in parts)


def _time_of(answer: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError):
        return None


def compare_clocks(whose: str, theirs: datetime | None) -> Iterator[Finding]:
    """Find a clock that is further away from this machine's than messages take."""
    if theirs is None:
        return
    ahead = (theirs - datetime.now(timezone.utc)).total_seconds()
    if abs(ahead) > MOST_SKEW_SECONDS:
        yield Finding(
            "clock-skew",
            "warning",
            f"The clock of {whose} is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the one of this machine.",
            "Schedules fire early or late, runs seem late or of negative length, and leases of live runs may expire.",
            "Let all machines set their clocks by NTP: `timedatectl set-ntp true`.",
        )
