"""The process of background services without an API: in the foreground and in the background."""

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from prefect.cli import _output
from prefect.cli._server_process import PidFile, database_url, last_lines
from prefect.settings import get_current_settings
from prefect.settings.context import current_profile_file

if TYPE_CHECKING:
    from prefect.server.services.table import ServiceEntry

_START_PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.05


def all_services() -> "tuple[ServiceEntry, ...]":
    """Every service that there is."""
    # Imported here because the server is only for those who run one.
    from prefect.server.services.table import SERVICES  # noqa: PLC0415

    return SERVICES


def run_services(pid_file: PidFile | None = None) -> None:
    """Run the services in this process until it is told to stop.

    Args:
        pid_file: Says, from when the services run until they end, in which process.
    """
    # Imported here because the server is only for those who run one.
    from prefect.logging.configuration import ensure_logging_setup  # noqa: PLC0415
    from prefect.server.database.store import forget_store, open_store  # noqa: PLC0415
    from prefect.server.services.runner import ServiceRunner  # noqa: PLC0415
    from prefect.utilities.services import start_client_metrics_server  # noqa: PLC0415

    ensure_logging_setup()
    start_client_metrics_server()
    url = database_url(get_current_settings())
    stopping = threading.Event()
    previous = {number: signal.signal(number, lambda *_: stopping.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    runner = ServiceRunner(open_store(url, durable=True))
    try:
        runner.start()
        _output.echo(f"Running {len(runner.names)} services: {', '.join(runner.names)}.")
        sys.stdout.flush()
        if pid_file is not None:
            pid_file.write(os.getpid())
        stopping.wait()
    finally:
        if not runner.stop():
            _output.note("A service did not end in time; what it was doing is taken back.")
        forget_store(url)
        if pid_file is not None and pid_file.read() == os.getpid():
            pid_file.path.unlink(missing_ok=True)
        for number, handler in previous.items():
            signal.signal(number, handler)


def start_in_background(pid_file: PidFile) -> None:
    """Run the services in a process of its own, and wait until they run."""
    pid_file.path.parent.mkdir(parents=True, exist_ok=True)
    pid_file.path.unlink(missing_ok=True)
    log_path = pid_file.path.with_name("services.log")
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "--no-prompt", "server", "services", "manager"],
            env={**os.environ, "PREFECT_PROFILE": current_profile_file()[0]},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_PATIENCE_SECONDS
    try:
        while pid_file.read() != process.pid:
            if process.poll() is not None or time.monotonic() > deadline:
                _output.fail(f"The services did not start. {log_path} says:\n{last_lines(log_path)}")
            time.sleep(_POLL_SECONDS)
    except BaseException:
        process.terminate()
        raise
    _output.success(f"Services run in the background (process {process.pid}).")
    _output.echo(f"`prefect server services stop` ends them; their log is {log_path}.")
