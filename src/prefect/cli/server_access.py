"""`prefect server api-key` and `prefect server audit`: who may use a server, and who has."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import click

from prefect.cli import _output, _params, _times
from prefect.cli._api import connect, missing_is
from prefect.cli._commands import command_group
from prefect.cli._server_process import database_label
from prefect.client._calls._call import NOT_FOUND, Call, given
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import get_current_settings, temporary_settings

api_key = command_group(
    "api-key",
    "Make, list and revoke API keys of a server. Goes to the server that PREFECT_API_URL names, and to the configured "
    "database where it names none.",
)
audit = command_group("audit", "See who has done what on a server.")

_ROLES = ("viewer", "operator", "admin")
_SPAN = re.compile(r"(\d+)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

local = _params.switch(
    "--local", help="Work on the configured database itself, also where PREFECT_API_URL is set: needs no key."
)


@api_key.command("create")
@_params.argument("name", "--name", "What to call the key.")
@_params.option(
    "--role",
    required=True,
    type=click.Choice(_ROLES),
    help="What it may do: viewer reads, operator runs things, admin does everything.",
)
@_params.switch("--secrets", help="Let it read the secrets of blocks, as flows need that load some. Admins always may.")
@_params.option("--expires", metavar="WHEN", help="When it ends: a span such as 12h, 30d or 4w, or a date.")
@local
@_params.output()
def create(name: str, role: str, secrets: bool, expires: str | None, local: bool, as_json: bool) -> None:
    """Make an API key, and print it: it is shown this once, and stored nowhere."""
    wanted = {"name": name, "role": role, "sees_secrets": secrets}
    if expires is not None:
        wanted["expires_at"] = _read_instant(expires, ahead=True).isoformat()
    with _api(local) as client:
        made = _plain(client.send(Call("POST", "/api_keys/", body=wanted)))
    if as_json:
        _output.print_json(made)
        return
    _output.success(f"Made the API key {name!r} with the role {role} {_place(local)}.")
    _output.echo()
    # Never wrapped, so that it can be copied.
    click.echo(f"    {made['key']}")
    _output.echo()
    _output.echo("Keep it: it is not shown again. Clients use it as PREFECT_API_KEY.")


@api_key.command("ls")
@_params.switch("--all", help="List revoked keys, too.")
@local
@_params.output()
def ls(all: bool, local: bool, as_json: bool) -> None:
    """List API keys."""
    with _api(local) as client:
        keys = [_plain(each) for each in _read_keys(client, all)]
    if as_json:
        _output.print_json(keys)
        return
    if not keys:
        _output.echo(f"No API keys found {_place(local)}.")
        return
    columns: list[Any] = [("Name", {"style": "blue"}), "Role", "Secrets", "Created", "Last used", "Ends"]
    rows = [
        (
            key["name"],
            key["role"],
            "yes" if key["sees_secrets"] else "no",
            _ago(key["created"]),
            _ago(key["last_used_at"]) or "never",
            f"revoked {_ago(key['revoked_at'])}" if key["revoked_at"] else _ago(key["expires_at"]) or "never",
        )
        for key in keys
    ]
    _output.print_table("API keys", columns, rows)


@api_key.command("revoke")
@_params.argument("name", "--name", "Name of the key.")
@_params.yes()
@local
def revoke(name: str, yes: bool, local: bool) -> None:
    """Revoke an API key: it opens nothing any more."""
    with _api(local) as client, missing_is(f"API key {name!r} not found {_place(local)}."):
        _output.confirm_or_abort(f"Revoke the API key {name!r}?", yes)
        client.send(Call("DELETE", "/api_keys/name/{name}", {"name": name}, errors=NOT_FOUND))
    _output.success(f"Revoked the API key {name!r}. Every server knows within a few seconds.")


@audit.command("ls")
@_params.option("--actor", help="Only what was done with the key of this name.")
@_params.option("--since", metavar="WHEN", help="Only from then on: a span such as 12h or 7d ago, or a date.")
@_params.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="List at most so many.")
@local
@_params.output()
def audit_ls(actor: str | None, since: str | None, limit: int, local: bool, as_json: bool) -> None:
    """List requests that changed something, showed secrets or were refused, the newest first."""
    instant = None if since is None else _read_instant(since, ahead=False).isoformat()
    wanted = given(actor=actor, since=instant, limit=limit)
    with _api(local) as client:
        entries = [_plain(each) for each in client.send(Call("POST", "/audit/filter", body=wanted))]
    if as_json:
        _output.print_json(entries)
        return
    if not entries:
        _output.echo("Nothing found. Servers keep a trail once they ask for credentials.")
        return
    rows = [
        (
            _times.absolute(_instant(entry["occurred"])),
            entry["actor"] or "-",
            entry["client"] or "-",
            f"{entry['method']} {entry['path']}",
            str(entry["status"]),
        )
        for entry in entries
    ]
    _output.print_table("Audit trail", ["When (UTC)", "Who", "From", "What", "Status"], rows)


@contextmanager
def _api(local: bool) -> Iterator[SyncPrefectClient]:
    """The server, or its database where there is no server to ask."""
    if not _is_local(local):
        with connect() as client:
            yield client
        return
    with temporary_settings({"api.url": None, "server.ephemeral.enabled": True}), connect() as client:
        yield client


def _is_local(local: bool) -> bool:
    return local or not get_current_settings().api.url


def _place(local: bool) -> str:
    settings = get_current_settings()
    return f"in the database {database_label(settings)}" if _is_local(local) else f"on the server at {settings.api.url}"


def _read_keys(client: SyncPrefectClient, all: bool) -> Iterator[Any]:
    offset = 0
    while page := client.send(Call("POST", "/api_keys/filter", body={"include_revoked": all, "offset": offset})):
        yield from page
        offset += len(page)


def _plain(answer: Any) -> dict[str, Any]:
    """An answer as JSON, wherever it comes from."""
    return answer.model_dump(mode="json") if hasattr(answer, "model_dump") else answer


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _ago(text: str | None) -> str:
    return _times.relative(_instant(text)) if text else ""


def _read_instant(text: str, *, ahead: bool) -> datetime:
    """An instant from a span from now on, or up to now, or from a date, whose time zone is UTC if it says none."""
    span = _SPAN.fullmatch(text.strip().lower())
    try:
        if span is not None:
            length = timedelta(seconds=int(span[1]) * _SECONDS[span[2]])
            now = datetime.now(timezone.utc)
            return now + length if ahead else now - length
        instant = _instant(text.strip())
    except (ValueError, OverflowError):
        _output.fail(f"{text!r} is no time. Give a span such as 12h, 30d or 4w, or a date such as 2027-01-31.")
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=timezone.utc)
