"""`prefect server services`: the background services, without the API."""

from prefect.cli import _output, _params
from prefect.cli._commands import command_group
from prefect.cli._server_process import PidFile
from prefect.cli._services_process import all_services, run_services, start_in_background
from prefect.settings import get_current_settings

services = command_group("services", "List the background services of a server, and run them without its API.")

_PID_FILE = "services.pid"


@services.command("ls")
@_params.output()
def ls(as_json: bool) -> None:
    """List the services, and what switches each on."""
    settings = get_current_settings().server.services
    if as_json:
        _output.print_json(
            [
                {
                    "name": entry.name,
                    "enabled": entry.is_enabled(settings),
                    "environment_variable": entry.setting,
                    "description": entry.description,
                }
                for entry in all_services()
            ]
        )
        return
    rows = [
        (
            entry.name,
            "yes" if entry.is_enabled(settings) else "no",
            entry.setting or "(always runs)",
            entry.description,
        )
        for entry in all_services()
    ]
    _output.print_table("Services", [("Name", {"style": "blue"}), "Enabled", "Setting", "Description"], rows)


@services.command("start")
@_params.switch("--background", "-b", help="Return to the shell, and go on in the background.")
def start(background: bool) -> None:
    """Run all enabled services until Ctrl-C, for servers that are started with --no-services."""
    pid_file = PidFile(_PID_FILE)
    if pid_file.is_alive():
        _output.fail(
            f"Services run in the background already (process {pid_file.read()}). `prefect server services stop` ends them."
        )
    if background:
        start_in_background(pid_file)
    else:
        run_services()
        _output.echo("Services stopped!")


@services.command("manager", hidden=True)
def manager() -> None:
    """Run the services, as the process in the background."""
    run_services(PidFile(_PID_FILE))


@services.command("stop")
def stop() -> None:
    """Stop the services that were started in the background."""
    pid_file = PidFile(_PID_FILE)
    pid = pid_file.read()
    if pid is None:
        _output.echo("No services are running in the background.")
    elif pid_file.stop():
        _output.success(f"Services stopped (process {pid}).")
    else:
        _output.note(f"The services (process {pid}) were not running any more.")


services.add_alias("list", "ls")
services.add_alias("enable", "start")
services.add_alias("disable", "stop")
