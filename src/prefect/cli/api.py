"""`prefect api`: one request to the API, as the settings of this call address it."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from prefect.cli import _output, _params
from prefect.cli._api import connect
from prefect.cli._commands import command
from prefect.settings import get_current_settings
from prefect.settings._derive import kind_of_server

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_SECRET_HEADERS = frozenset({"authorization", "prefect-csrf-token", "cookie", "set-cookie"})


@command("api")
@_params.argument("method", "--method", f"One of {', '.join(METHODS)}.")
@_params.argument("path", "--path", "Below the API's address, such as /flows/filter.")
@_params.option("--data", help="The body: JSON, @FILE, or - for stdin. By default what is piped in, or {}.")
@_params.repeatable("-H", "--header", help="A header: 'Name: value'.")
@_params.switch("--verbose", "-v", help="Show the headers that were sent and received.")
@_params.switch("--root", help="Prefect Cloud: the path is below the root of its API.")
@_params.switch("--account", help="Prefect Cloud: the path is below the account.")
def api(
    method: str, path: str, data: str | None, header: tuple[str, ...], verbose: bool, root: bool, account: bool
) -> None:
    """Send a request to the API, and print the body of its answer.

    The exit code is 4 when the API refuses the request (4xx), and 5 when it fails (5xx).
    """
    if method.upper() not in METHODS:
        _output.fail(f"Unknown method {method!r}. Expected one of {', '.join(METHODS)}.")
    body, headers = _body(method.upper(), data), _headers(header)
    if body is not None and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json"
    base = _base(root, account)
    with connect() as client:
        address = base + "/" + path.removeprefix("/api/").lstrip("/")
        response = client._client.request(method.upper(), address, content=body, headers=headers)
    if verbose:
        _show_headers(">", f"{response.request.method} {response.request.url}", response.request.headers)
        _show_headers("<", f"{response.status_code} {response.reason_phrase}", response.headers)
    if response.status_code >= 400:
        _output.error_aside(f"Error: {response.status_code} {response.reason_phrase}")
    _show_body(response)
    if response.status_code >= 400:
        raise SystemExit(5 if response.status_code >= 500 else 4)


def _body(method: str, data: str | None) -> bytes | None:
    if data is None:
        if method not in _WITH_BODY:
            return None
        text = ("" if sys.stdin.isatty() else sys.stdin.read()).strip() or "{}"
    elif data == "-":
        text = sys.stdin.read()
    elif data.startswith("@"):
        try:
            text = Path(data[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            _output.fail(f"Cannot read the file {data[1:]!r}: {getattr(error, 'strerror', None) or error}.")
    else:
        text = data
    try:
        json.loads(text)
    except ValueError as error:
        _output.fail(f"The data is no JSON: {error}. Write JSON, @FILE, or - for stdin.")
    return text.encode("utf-8", "surrogatepass")


def _headers(given: tuple[str, ...]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for each in given:
        name, colon, value = each.partition(":")
        if not colon or not name.strip():
            _output.fail(f"Cannot read the header {each!r}. Write it as 'Name: value'.")
        headers[name.strip()] = value.strip()
    return headers


def _base(root: bool, account: bool) -> str:
    """What the path stands below: nothing for the API's own address."""
    if not root and not account:
        return ""
    settings = get_current_settings()
    if kind_of_server(settings) != "cloud":
        _output.fail("--root and --account are for Prefect Cloud. The paths of a server stand below PREFECT_API_URL.")
    if root:
        return settings.cloud.api_url.rstrip("/")
    return (settings.api.url or "").partition("/workspaces/")[0]


def _show_headers(mark: str, first: str, headers: Any) -> None:
    click.echo(f"{mark} {first}", err=True)
    for name, value in headers.items():
        click.echo(f"{mark} {name}: {'********' if name.lower() in _SECRET_HEADERS else value}", err=True)
    click.echo("", err=True)


def _show_body(response: Any) -> None:
    if not response.content:
        return
    try:
        _output.print_json(response.json())
    except ValueError:
        click.echo(response.text)
