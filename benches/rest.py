"""Load for a server: clients that create flow runs and take them to COMPLETED, three requests a run.

Usage: python benches/rest.py URL [--clients 20] [--runs 2000]

The clients are plain sockets in one event loop with kept connections, so that what is measured is the server. URL is the
API's, such as http://127.0.0.1:4200/api; it may be anybody's server of this API. Prints runs a second, the latency of
requests, and how many failed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from urllib.parse import urlsplit


class Connection:
    """One client: a kept connection, one request at a time."""

    def __init__(self, host: str, port: int, base: str) -> None:
        self.host, self.port, self.base = host, port, base
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: object) -> tuple[int, bytes]:
        content = json.dumps(body).encode()
        head = (
            f"POST {self.base}{path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        if self._streams is None:
            self._streams = await asyncio.open_connection(self.host, self.port)
        reader, writer = self._streams
        writer.write(head.encode() + content)
        raw = (await reader.readuntil(b"\r\n\r\n")).lower()
        status = int(raw.split(b" ", 2)[1])
        if b"transfer-encoding: chunked" in raw:
            parts = []
            while size := int(await reader.readline(), 16):
                parts.append(await reader.readexactly(size))
                await reader.readline()
            await reader.readline()
            return status, b"".join(parts)
        length = int(raw.partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
        return status, await reader.readexactly(length)


async def measure(url: str, clients: int, runs: int) -> dict[str, float]:
    parts = urlsplit(url)
    connections = [Connection(parts.hostname or "", parts.port or 80, parts.path) for _ in range(clients)]
    _, body = await connections[0].post("/flows/", {"name": "load"})
    flow_id = json.loads(body)["id"]
    left, seconds, failures = iter(range(runs)), [], 0

    async def post(connection: Connection, path: str, body: object) -> bytes | None:
        nonlocal failures
        start = time.perf_counter()
        status, answer = await connection.post(path, body)
        seconds.append(time.perf_counter() - start)
        if status >= 300:
            failures += 1
            return None
        return answer

    async def work(connection: Connection) -> None:
        for _ in left:
            made = await post(connection, "/flow_runs/", {"flow_id": flow_id, "state": {"type": "PENDING"}})
            if made is None:
                continue
            path = f"/flow_runs/{json.loads(made)['id']}/set_state"
            for kind in ("RUNNING", "COMPLETED"):
                await post(connection, path, {"state": {"type": kind}})

    start = time.perf_counter()
    await asyncio.gather(*(work(connection) for connection in connections))
    elapsed = time.perf_counter() - start
    seconds.sort()
    return {
        "runs_per_second": runs / elapsed,
        "p50_ms": seconds[len(seconds) // 2] * 1e3,
        "p99_ms": seconds[int(len(seconds) * 0.99)] * 1e3,
        "failures": failures,
        "requests": len(seconds),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--runs", type=int, default=2000)
    options = parser.parse_args()
    print(json.dumps({name: round(value, 1) for name, value in asyncio.run(
        measure(options.url.rstrip("/"), options.clients, options.runs)
    ).items()}))  # fmt: skip
