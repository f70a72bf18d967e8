"""Load for a server: clients that create flow runs and take them to COMPLETED, three requests a run.

Usage: python benches/rest.py URL [--clients 20] [--seconds 10]

The clients are plain sockets in one event loop with kept connections, so that what is measured is the server. URL is the
API's, such as http://127.0.0.1:4200/api; it may be anybody's server of this API. Prints the runs a second of which all
three requests succeeded, the latency of all requests, and how many of them failed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from urllib.parse import urlsplit

PATIENCE = 15.0
"""Seconds that a client waits for an answer before the request counts as failed."""


class Connection:
    """One client: a kept connection, one request at a time."""

    def __init__(self, host: str, port: int, base: str) -> None:
        self.host, self.port, self.base = host, port, base
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: object) -> tuple[int, bytes]:
        """Send a request; gives the status and the content, status 0 when no answer came."""
        try:
            status, content, kept = await asyncio.wait_for(self._post(path, json.dumps(body).encode()), PATIENCE)
        except (OSError, EOFError, asyncio.TimeoutError) as error:
            self.close()
            return 0, repr(error).encode()
        if not kept:
            self.close()
        return status, content

    def close(self) -> None:
        """Let go of the connection; the next request opens another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _post(self, path: str, content: bytes) -> tuple[int, bytes, bool]:
        head = (
            f"POST {self.base}{path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        if self._streams is None:
            self._streams = await asyncio.open_connection(self.host, self.port)
        reader, writer = self._streams
        writer.write(head.encode() + content)
        raw = (await reader.readuntil(b"\r\n\r\n")).lower()
        status, kept = int(raw.split(b" ", 2)[1]), b"connection: close" not in raw
        if b"transfer-encoding: chunked" in raw:
            parts = []
            while size := int(await reader.readline(), 16):
                parts.append(await reader.readexactly(size))
                await reader.readline()
            await reader.readline()
            return status, b"".join(parts), kept
        length = int(raw.partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
        return status, await reader.readexactly(length), kept


async def make_flow(connection: Connection) -> str:
    """The id of a flow for the runs; a server that is busy is asked again for a while.

    Raises:
        RuntimeError: The server does not make it.
    """
    give_up = time.perf_counter() + PATIENCE
    while True:
        status, body = await connection.post("/flows/", {"name": "load"})
        if status in (200, 201):
            return json.loads(body)["id"]
        if time.perf_counter() > give_up:
            raise RuntimeError(f"a new flow is answered with {status}: {body[:500].decode(errors='replace')}")
        await asyncio.sleep(0.2)


async def measure(url: str, clients: int, duration: float) -> dict[str, float]:
    """Make runs for `duration` seconds; those begun are finished.

    Returns:
        `runs` that reached COMPLETED and `runs_per_second`; `p50_ms` and `p99_ms` of all requests, failed ones with the
        time that they took; the numbers of `failures` and of `requests`. A transition that is not accepted is a failure.

    Raises:
        RuntimeError: The server does not even make the flow of the runs.
    """
    parts = urlsplit(url)
    connections = [Connection(parts.hostname or "", parts.port or 80, parts.path) for _ in range(clients)]
    flow_id = await make_flow(connections[0])
    seconds: list[float] = []
    completed = failures = 0

    async def post(connection: Connection, path: str, body: object) -> dict[str, object] | None:
        nonlocal failures
        began = time.perf_counter()
        status, content = await connection.post(path, body)
        seconds.append(time.perf_counter() - began)
        answer = json.loads(content) if 200 <= status < 300 else None
        if answer is None or answer.get("status", "ACCEPT") != "ACCEPT":
            failures += 1
            return None
        return answer

    async def complete(connection: Connection) -> bool:
        made = await post(connection, "/flow_runs/", {"flow_id": flow_id, "state": {"type": "PENDING"}})
        if made is None:
            return False
        path = f"/flow_runs/{made['id']}/set_state"
        for kind in ("RUNNING", "COMPLETED"):
            if await post(connection, path, {"state": {"type": kind}}) is None:
                return False
        return True

    async def work(connection: Connection) -> None:
        nonlocal completed
        while time.perf_counter() < start + duration:
            # Not in one statement, which would read the number before it waits.
            if await complete(connection):
                completed += 1
        connection.close()

    start = time.perf_counter()
    await asyncio.gather(*(work(connection) for connection in connections))
    elapsed = time.perf_counter() - start
    seconds.sort()
    return {
        "runs": completed,
        "runs_per_second": completed / elapsed,
        "p50_ms": seconds[len(seconds) // 2] * 1e3,
        "p99_ms": seconds[int(len(seconds) * 0.99)] * 1e3,
        "failures": failures,
        "requests": len(seconds),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    print(json.dumps({name: round(value, 1) for name, value in asyncio.run(
        measure(options.url.rstrip("/"), options.clients, options.seconds)
    ).items()}))  # fmt: skip
