"""`prefect server`: start and look after a server."""

import click

from prefect.cli import _output, _params
from prefect.cli._commands import command_group
from prefect.cli._server_process import (
    PidFile,
    describe_address,
    run_in_background,
    run_in_foreground,
    server_environment,
    worker_problems,
)
from prefect.cli._server_status import wait_for_status
from prefect.cli.server_access import api_key, audit
from prefect.cli.server_database import database
from prefect.cli.server_services import services
from prefect.settings import get_current_settings

server = command_group("server", "Start and look after a Prefect server.")
server.add_command(services)
server.add_command(database)
server.add_command(api_key)
server.add_command(audit)


@server.command("start")
@_params.option("--host", help="Address to listen on.")
@_params.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.")
@_params.option("--keep-alive-timeout", type=int, help="Seconds that an idle connection is kept open.")
@_params.option("--log-level", help="Level of the server's logs.")
@_params.switch("--scheduler", default=None, help="Make runs of scheduled deployments.")
@_params.switch("--analytics-on", negative="--analytics-off", default=None, help="Nothing is ever reported; ignored.")
@_params.switch("--late-runs", default=None, help="Mark runs that have not started in time.")
@_params.switch("--ui", default=None, help="Serve the web interface.")
@click.option("--no-services", is_flag=True, default=False, help="Leave the background services to other processes.")
@_params.switch("--background", "-b", help="Return to the shell, and go on in the background.")
@_params.option("--workers", type=int, default=1, show_default=True, help="Processes that answer requests.")
def start(
    host: str | None,
    port: int | None,
    keep_alive_timeout: int | None,
    log_level: str | None,
    scheduler: bool | None,
    analytics_on: bool | None,
    late_runs: bool | None,
    ui: bool | None,
    no_services: bool,
    background: bool,
    workers: int,
) -> None:
    """Start a server: the API, its background services, and the web interface."""
    problems = worker_problems(workers, get_current_settings())
    if problems:
        _output.fail(problems)
    environment = server_environment(
        {
            "server.api.host": host,
            "server.api.port": port,
            "server.api.keepalive_timeout": keep_alive_timeout,
            "server.logging_level": log_level.upper() if log_level else None,
            "server.services.scheduler.enabled": scheduler,
            "server.analytics_enabled": analytics_on,
            "server.services.late_runs.enabled": late_runs,
            "server.ui.enabled": ui,
        },
        webserver_only=no_services or workers > 1,
    )
    (run_in_background if background else run_in_foreground)(environment, workers)


@server.command("stop")
def stop() -> None:
    """Stop the server that was started in the background."""
    pid_file = PidFile("server.pid")
    pid = pid_file.read()
    if pid is None:
        _output.note("No server is running in the background.")
    elif pid_file.stop():
        _output.success(f"Server stopped (process {pid}).")
    else:
        _output.note(f"The server (process {pid}) was not running any more.")


@server.command("status")
@_params.switch("--wait", help="Wait until the server answers.")
@_params.option("--timeout", "-t", type=int, default=0, show_default=True, help="Seconds to wait; 0 is for ever.")
@_params.output()
def status(wait: bool, timeout: int, as_json: bool) -> None:
    """Say whether the server that PREFECT_API_URL names can be used."""
    url = get_current_settings().api.url
    if not url:
        _output.fail(
            "No API URL is configured. Set one: prefect config set "
            f"PREFECT_API_URL={describe_address(get_current_settings())}"
        )
    found = wait_for_status(url, timeout if wait else None)
    if as_json:
        _output.print_json(found.as_json())
    elif found.status == "available":
        _output.success(f"The server at {url} is available (version {found.server_version}).")
    else:
        state = "is not available" if found.status == "unavailable" else f"did not answer within {timeout} seconds"
        _output.error(f"The server at {url} {state}: {found.error}")
    if found.status != "available":
        raise SystemExit(1)
