"""A real HTTP server on a port of this machine, which answers as a test tells it to."""

from __future__ import annotations

import json
import ssl
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import Self

from prefect.client._http import close_senders


@dataclass
class Answer:
    """One answer; with `hang_up` the connection is closed instead."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False


@dataclass
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    port: int

    def json(self) -> Any:
        return json.loads(self.body)


class API:
    """Answers each request with the next scripted answer, or else with what `otherwise` makes of it."""

    def __init__(self, otherwise: Callable[[Request], Answer] | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.script: deque[Answer] = deque()
        self.otherwise = otherwise or (lambda request: Answer(200, []))
        self.connections: set[int] = set()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10
            wbufsize = (
                -1
            )  # an answer leaves in one piece: the second of two would wait for the first to be acknowledged

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                request = Request(
                    self.command, self.path, dict(self.headers), self.rfile.read(length), self.client_address[1]
                )
                with api._lock:
                    api.requests.append(request)
                    api.connections.add(request.port)
                    answer = api.script.popleft() if api.script else None
                answer = answer or api.otherwise(request)
                if answer.hang_up:
                    self.close_connection = True
                    return
                content = b"" if answer.status == 204 else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, format: str, *args: Any) -> None: ...

        self._handler = Handler
        self._lock = threading.Lock()
        self._tls = tls
        self._server: ThreadingHTTPServer | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}/api"

    def start(self) -> Self:
        """Listen; on the same port as before when it was stopped in between."""
        ThreadingHTTPServer.allow_reuse_address = True
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler)
        self._server.daemon_threads = True
        if self._tls is not None:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        close_senders()  # the next API on this port is not to be taken for this one

    def paths(self) -> list[str]:
        return [f"{request.method} {request.path.removeprefix('/api')}" for request in self.requests]
