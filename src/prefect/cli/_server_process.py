"""The process of a server: its environment, its pid file, in the foreground and in the background."""

import contextvars
import ipaddress
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect.cli import _output, _session
from prefect.cli._server_status import read_status
from prefect.settings import Settings, get_current_settings
from prefect.settings.context import current_profile_file, refresh_settings
from prefect.settings.legacy import setting_at
from prefect.settings.profiles import update_current_profile

_START_PATIENCE_SECONDS = 60.0
_STOP_PATIENCE_SECONDS = 15.0
_POLL_SECONDS = 0.05
WEBSERVER_ONLY = "PREFECT__SERVER_WEBSERVER_ONLY"


def server_environment(values: Mapping[str, Any], *, webserver_only: bool) -> dict[str, str]:
    """The variables of a server's process, from settings by path; those that are None stay as they are."""
    environment = {setting_at(path).name: str(value) for path, value in values.items() if value is not None}
    environment["PREFECT_PROFILE"] = current_profile_file()[0]
    environment[WEBSERVER_ONLY] = "true" if webserver_only else "false"
    return environment


def worker_problems(workers: int, settings: Settings) -> str:
    """What keeps a server from running in several processes; nothing if it can."""
    if workers < 1:
        return f"The number of workers is {workers}; at least 1 is needed."
    url = settings.server.database.connection_url
    if workers > 1 and url is not None and ":memory:" in url.get_secret_value():
        return (
            "A server with several workers needs a database that they share, and one in memory is of one process. Set "
            "PREFECT_SERVER_DATABASE_CONNECTION_URL to a file or to PostgreSQL, or leave out --workers."
        )
    return ""


def describe_address(settings: Settings) -> str:
    """The URL by which clients on this machine reach the API of a server with these settings."""
    api = settings.server.api
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(api.host, f"[{api.host}]" if ":" in api.host else api.host)
    return f"http://{host}:{api.port}/{(api.base_path or '/api').strip('/')}"


def database_label(settings: Settings) -> str:
    """How messages name the database; never holds a password."""
    # Imported here because it is only for those who use the database.
    from prefect.server.database.url import parse_database_url  # noqa: PLC0415

    return parse_database_url(database_url(settings)).label


def database_url(settings: Settings) -> str:
    """Where the database of a server is."""
    url = settings.server.database.connection_url
    assert url is not None  # the settings derive one from the home folder
    return url.get_secret_value()


class PidFile:
    """Remembers, in the home folder, the process of something that runs in the background."""

    def __init__(self, name: str) -> None:
        self.path: Path = get_current_settings().home / name

    def read(self) -> int | None:
        """The id of the process; None when there is no file, or nothing of use in it."""
        try:
            return int(self.path.read_text().strip())
        except (OSError, ValueError):
            return None

    def is_alive(self) -> bool:
        """Whether the process runs."""
        pid = self.read()
        return pid is not None and _is_running(pid)

    def write(self, pid: int) -> None:
        """Remember a process."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(str(pid))

    def stop(self) -> bool:
        """End the process, wait until it is gone, and remove the file; returns whether it ran."""
        pid = self.read()
        was_running = False
        if pid is not None:
            try:
                os.kill(pid, signal.SIGTERM)
                was_running = True
            except (ProcessLookupError, PermissionError):
                pass
        deadline = time.monotonic() + _STOP_PATIENCE_SECONDS
        while was_running and pid is not None and _is_running(pid) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        self.path.unlink(missing_ok=True)
        return was_running


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


# -- in the foreground -----------------------------------------------------------------------------------------------


def run_in_foreground(environment: Mapping[str, str], workers: int) -> None:
    """Run a server in this process until it is told to stop."""
    # Imported here because the web framework is only for those who run a server.
    from prefect.logging.configuration import ensure_logging_setup  # noqa: PLC0415
    from prefect.server.api.running import CannotListen, listen, serve  # noqa: PLC0415

    os.environ.update(environment)
    refresh_settings()

    def run() -> bool:
        settings = get_current_settings()
        ensure_logging_setup()
        api = settings.server.api
        try:
            listener = listen(api.host, api.port)
        except CannotListen as error:
            hint = " A server runs in the background; `prefect server stop` ends it." if _in_background() else ""
            _output.fail(f"{error}{hint or ' Choose another one with --port or --host.'}")
        with listener:
            _greet(settings)
            return serve(settings, listener, workers=workers)

    # The threads of the server see what holds for the process; in a fresh context, so does everything else.
    if not contextvars.Context().run(run):
        _output.fail("The server did not start.")
    _output.echo("Server stopped!")


def _in_background() -> bool:
    return PidFile("server.pid").is_alive()


def _greet(settings: Settings) -> None:
    url = describe_address(settings)
    _output.echo()
    _output.echo("Prefect server", bold=True)
    _output.echo(f"API:       {url}")
    _output.echo(f"Dashboard: {_dashboard(settings, url)}")
    _output.echo()
    _output.echo("Tell clients where it is:")
    _output.echo(f"    prefect config set PREFECT_API_URL={url}")
    _output.echo()
    _warn_if_open_to_all(settings)
    if _session.is_interactive() and settings.api.url != url:
        name = current_profile_file()[0]
        if _output.confirm(f"Use this server from profile {name!r}?", default=True):
            update_current_profile({"PREFECT_API_URL": url})
    sys.stdout.flush()


def _dashboard(settings: Settings, url: str) -> str:
    if not settings.server.ui.enabled:
        return "disabled; set PREFECT_SERVER_UI_ENABLED=true to have it"
    return url.rsplit("/", 1)[0] if settings.server.api.base_path is None else url


def _warn_if_open_to_all(settings: Settings) -> None:
    api = settings.server.api
    if _is_public(api.host) and api.auth_string is None and not _has_api_keys(settings):
        _output.note(
            f"Anybody who reaches {api.host}:{api.port} can use this server, and read every secret in it. Make an API "
            "key with `prefect server api-key create NAME --role admin`, or set "
            "PREFECT_SERVER_API_AUTH_STRING=user:password, to let it ask who is there."
        )


def _has_api_keys(settings: Settings) -> bool:
    # Imported here because drivers are only for those who use the database.
    from prefect.server.database.errors import StorageError  # noqa: PLC0415
    from prefect.server.database.store import forget_store, open_store  # noqa: PLC0415
    from prefect.server.models.api_keys import has_api_keys  # noqa: PLC0415

    url = database_url(settings)
    try:
        return open_store(url, durable=True).read(has_api_keys)
    except StorageError:
        return False  # the server itself will say what is wrong with its database
    finally:
        forget_store(url)


def _is_public(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


# -- in the background -----------------------------------------------------------------------------------------------


def run_in_background(environment: Mapping[str, str], workers: int) -> None:
    """Start a server in a process of its own, and wait until it answers."""
    pid_file = PidFile("server.pid")
    if pid_file.is_alive():
        _output.fail(
            f"A server runs in the background already (process {pid_file.read()}). `prefect server stop` ends it."
        )
    pid_file.path.parent.mkdir(parents=True, exist_ok=True)
    log_path = pid_file.path.with_name("server.log")
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "--no-prompt", "server", "start", "--workers", str(workers)]
            + (["--no-services"] if environment[WEBSERVER_ONLY] == "true" else []),
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    pid_file.write(process.pid)
    url = describe_address(_settings_with(environment))
    deadline = time.monotonic() + _START_PATIENCE_SECONDS
    while read_status(url).status != "available" or process.poll() is not None:
        if process.poll() is not None or time.monotonic() > deadline:
            pid_file.stop()
            _output.fail(f"The server did not start. {log_path} says:\n{last_lines(log_path)}")
        time.sleep(_POLL_SECONDS)
    _output.success(f"The server runs in the background (process {process.pid}) at {url}.")
    _warn_if_open_to_all(_settings_with(environment))
    _output.echo(f"`prefect server stop` ends it; its log is {log_path}.")


def _settings_with(environment: Mapping[str, str]) -> Settings:
    """The settings as a server with these variables has them, as far as its address goes."""
    settings = get_current_settings()
    changed = {"host": environment.get("PREFECT_SERVER_API_HOST"), "port": environment.get("PREFECT_SERVER_API_PORT")}
    api = settings.server.api.model_copy(update={name: value for name, value in changed.items() if value is not None})
    return settings.model_copy(update={"server": settings.server.model_copy(update={"api": api})})


def last_lines(path: Path) -> str:
    """The end of a log, to be shown."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-5:])
