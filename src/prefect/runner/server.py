"""The small web server of a runner: whether it is well, how many runs go, and a way to stop it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import UUID

import uvicorn
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from prefect.settings import get_current_settings

if TYPE_CHECKING:
    from prefect.runner.runner import Runner

_STOPPING_SECONDS = 5.0

RunnableEndpoint: TypeAlias = Literal["deployment", "flow", "task"]


class RunnerGenericFlowRunRequest(BaseModel):
    """Asks a runner to run a flow."""

    entrypoint: str
    parameters: dict[str, Any] | None = None
    parent_task_run_id: UUID | None = None


def perform_health_check(runner: Runner, delay_threshold: int | None = None) -> Callable[..., JSONResponse]:
    """The endpoint that says whether a runner still asks for runs.

    Args:
        runner: The runner.
        delay_threshold: After how many seconds without an answer of the API it is not well; by default as many polls as the
            setting `runner.server.missed_polls_tolerance` says.
    """
    tolerance = get_current_settings().runner.server.missed_polls_tolerance
    patience = timedelta(seconds=runner.query_seconds * tolerance if delay_threshold is None else delay_threshold)
    begun = datetime.now(timezone.utc)

    def health_check() -> JSONResponse:
        silence = datetime.now(timezone.utc) - (runner.last_polled or begun)
        if silence > patience:
            message = f"The runner has not been told for {silence.total_seconds():.0f} seconds what is due."
            return JSONResponse({"message": message}, 503)
        return JSONResponse({"message": "OK"})

    return health_check


def run_count(runner: Runner) -> Callable[..., int]:
    """The endpoint that says how many runs of a runner go now."""

    def count_runs() -> int:
        return runner.run_count

    return count_runs


def shutdown(runner: Runner) -> Callable[..., JSONResponse]:
    """The endpoint that stops a runner."""

    def stop() -> JSONResponse:
        runner.stop(_sync=True)
        return JSONResponse({"message": "The runner shuts down."})

    return stop


async def build_server(runner: Runner) -> Starlette:
    """The web application of a runner."""
    return _application(runner)


def _application(runner: Runner) -> Starlette:
    is_well, counts, stops = perform_health_check(runner), run_count(runner), shutdown(runner)

    def health(request: Request) -> JSONResponse:
        return is_well()

    def count(request: Request) -> JSONResponse:
        return JSONResponse(counts())

    def stop(request: Request) -> JSONResponse:
        return stops()

    routes = [Route("/health", health), Route("/run_count", count), Route("/shutdown", stop, methods=["POST"])]
    return Starlette(routes=routes)


def start_webserver(runner: Runner, log_level: str | None = None) -> None:
    """Serve the web application of a runner where the settings say, until the process ends.

    Args:
        runner: The runner.
        log_level: Of the web server; by the settings unless given.

    Raises:
        OSError: The address cannot be used.
    """
    with _listen() as listener:
        _server(runner, log_level).run(sockets=[listener])


class BackgroundServer:
    """The web server of a runner in a thread of its own, so that it answers whatever the runner is busy with.

    Raises:
        OSError: The address cannot be used.
    """

    def __init__(self, runner: Runner) -> None:
        listener = _listen()
        self._server = _server(runner, None)
        # In the thread, an address that is taken would be nobody's problem.
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="prefect-runner-server", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.should_exit = True
        self._thread.join(_STOPPING_SECONDS)


def _server(runner: Runner, log_level: str | None) -> uvicorn.Server:
    level = (log_level or get_current_settings().runner.server.log_level).lower()
    return uvicorn.Server(uvicorn.Config(_application(runner), log_level=level))


def _listen() -> socket.socket:
    settings = get_current_settings().runner.server
    try:
        family, _, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise OSError(
            error.errno,
            f"The web server of the runner cannot listen on {settings.host}:{settings.port} ({error.strerror or error}). Set "
            "another port with PREFECT_RUNNER_SERVER_PORT.",
        ) from error
