"""A web server of one page, that tells what a task worker is doing."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson


class StatusServer:
    """Answers `GET /status` with the worker's tasks, limit, and runs under way and finished by task key.

    Args:
        task_worker: The worker to tell of.
    """

    def __init__(self, task_worker: Any) -> None:
        self._worker = task_worker
        self._server: asyncio.Server | None = None
        self._started_at: str | None = None

    async def start(self, port: int, host: str = "127.0.0.1") -> int:
        """Listen on a port; 0 for any free one.

        Returns:
            The port.

        Raises:
            OSError: The port is taken.
        """
        self._server = await asyncio.start_server(self._answer, host, port)
        return self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def status(self) -> dict[str, Any]:
        """What the page says."""
        worker = self._worker
        return {
            "client_id": worker.client_id,
            "started_at": worker.started_at.isoformat() if worker.started_at else None,
            "in_flight_task_runs": {
                key: {str(id): since.isoformat() for id, since in runs.items()}
                for key, runs in worker.in_flight_task_runs.items()
            },
            "finished_task_runs": dict(worker.finished_task_runs),
            "tasks": sorted(worker.task_keys),
            "limit": worker.limit,
            "current_tasks": worker.current_tasks,
        }

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), timeout=10)
            method, path, *_ = request.split(b" ", 2)
            if path.partition(b"?")[0].rstrip(b"/") != b"/status":
                status, body = "404 Not Found", {"detail": "There is only /status here."}
            elif method not in (b"GET", b"HEAD"):
                status, body = "405 Method Not Allowed", {"detail": "Use GET."}
            else:
                status, body = "200 OK", self.status()
            content = orjson.dumps(body)
            head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + (b"" if method == b"HEAD" else content))
            await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.TimeoutError, ValueError, OSError):
            return  # whoever asked went away, or does not speak HTTP
        finally:
            writer.close()
