"""A small web server that says at `/health` whether a worker still asks for runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import uvicorn

from prefect.settings import get_current_settings

if TYPE_CHECKING:
    from prefect.workers.base import BaseWorker


def build_healthcheck_server(
    worker: BaseWorker[Any, Any, Any], query_interval_seconds: float, log_level: str = "error"
) -> uvicorn.Server:
    """Make the web server; it listens where the settings say.

    Args:
        worker: The worker.
        query_interval_seconds: How often it should ask for runs.
        log_level: Of the web server.
    """

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        status, body = _answer(worker, scope, query_interval_seconds)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": orjson.dumps(body)})

    settings = get_current_settings().worker.webserver
    config = uvicorn.Config(app, host=settings.host, port=settings.port, log_level=log_level, lifespan="off")
    return uvicorn.Server(config)


def _answer(worker: BaseWorker[Any, Any, Any], scope: Any, seconds: float) -> tuple[int, dict[str, str]]:
    if scope["path"] != "/health":
        return 404, {"detail": f"There is nothing at {scope['path']!r}, only '/health'."}
    if scope["method"] not in ("GET", "HEAD"):
        return 405, {"detail": "Method Not Allowed"}
    if worker.is_worker_still_polling(seconds):
        return 200, {"message": "OK"}
    return 503, {"message": "Worker may be unresponsive at this time"}


def start_healthcheck_server(
    worker: BaseWorker[Any, Any, Any], query_interval_seconds: float, log_level: str = "error"
) -> None:
    """Serve, until the server is told to exit. Blocks.

    Args:
        worker: The worker.
        query_interval_seconds: How often it should ask for runs.
        log_level: Of the web server.
    """
    build_healthcheck_server(worker, query_interval_seconds, log_level).run()
