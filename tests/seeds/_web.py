"""A small internet on localhost: any https address, asked through a proxy, is answered by handlers in this process.

Programs under test keep their addresses: they find the proxy in `HTTPS_PROXY` and trust its certificate through
`SSL_CERT_FILE`, both of which httpx reads by itself.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
from tests.certificates import write_certificate

Answer = tuple[int, Any]
"""A status and what the body says as JSON."""


@dataclass
class Web:
    """What the sites answer, and what they were asked.

    Attributes:
        sites: Host name to a function of the path (with its query) that answers.
        asked: Every address that was asked for, in order.
    """

    port: int
    certificate: Path
    sites: dict[str, Callable[[str], Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead a program here."""
        return {"HTTPS_PROXY": f"http://127.0.0.1:{self.port}", "SSL_CERT_FILE": str(self.certificate), "NO_PROXY": ""}

    def answer(self, host: str, path: str) -> Answer:
        self.asked.append(f"{host}{path}")
        site = self.sites.get(host)
        return site(path) if site else (404, {"detail": f"no site {host!r}"})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    web: Web
    tls: ssl.SSLContext
    host = ""

    def do_CONNECT(self) -> None:
        """Become the host that was asked for: speak TLS on the same connection."""
        self.host = self.path.partition(":")[0]
        self.send_response(200)
        self.end_headers()
        self.connection = self.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)
        self.close_connection = False

    def do_GET(self) -> None:
        status, content = self.web.answer(self.host, self.path)
        body = orjson.dumps(content)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing; `Web.asked` holds what was asked."""


def start_web(folder: Path, hosts: list[str]) -> tuple[Web, Callable[[], None]]:
    """Start the proxy with a certificate for these hosts; returns the web and what stops it."""
    certificate = write_certificate(folder / "server.pem", hosts)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    handler = type("Handler", (_Handler,), {"tls": tls})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    web = handler.web = Web(server.server_port, certificate)  # type: ignore[attr-defined]
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    return web, stop
