"""What a server costs: its start, its memory, a flow against it, and runs over REST on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import rest
from psycopg import sql
from sides import Side

POSTGRES = os.environ.get("PREFECT_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
STARTS_WITHIN = 90.0
CLIENTS = (20, 50)


@dataclass(frozen=True)
class Server:
    """A server that answers: the URL of its API, its process, and the seconds until it was healthy."""

    url: str
    pid: int
    seconds: float


def measure(side: Side, quick: bool) -> dict[str, float]:
    """All the server's figures of a side: seconds, megabytes, runs a second, numbers of requests."""
    duration = 3.0 if quick else 10.0
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as home:
        with running(side, Path(home)) as server:
            figures["server_first"] = server.seconds
        with running(side, Path(home)) as server:
            figures["server_second"] = server.seconds
            figures["server_memory"] = idle_memory(server)
            figures["server_hello"] = hello(side, server, 2 if quick else 5)
    figures |= loads(side, "sqlite", duration)
    if postgres_answers():
        figures |= loads(side, "postgres", duration)
        if side.name == "ours":  # Upstream shares its work among processes only with Redis.
            figures |= loads(side, "postgres2", duration, processes=2)
    return figures


def loads(side: Side, database: str, duration: float, processes: int = 1) -> dict[str, float]:
    """Runs over REST for `duration` seconds with each number of clients, each on a server and a database of its own."""
    figures: dict[str, float] = {}
    for clients in CLIENTS:
        with ExitStack() as stack:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            settings = {}
            if database != "sqlite":
                settings["PREFECT_API_DATABASE_CONNECTION_URL"] = stack.enter_context(new_database())
            server = stack.enter_context(running(side, home, settings, processes))
            # What a server does for the first time, such as opening connections, is not what is asked.
            asyncio.run(rest.measure(server.url, 1, 1.0))
            found = asyncio.run(rest.measure(server.url, clients, duration))
        case = f"rest_{database}_{clients}"
        figures[f"{case}_rate"] = found["runs_per_second"]
        figures[f"{case}_p99"] = found["p99_ms"] / 1e3
        figures[f"{case}_failed"] = found["failures"]
        figures[f"{case}_requests"] = found["requests"]
    return figures


@contextmanager
def running(side: Side, home: Path, settings: Mapping[str, str] | None = None, processes: int = 1) -> Iterator[Server]:
    """A server of a side on a free port; it ends with the block, with all of its processes.

    Raises:
        RuntimeError: It ended at once, or was not healthy in time; with the end of its log.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["server", "start", "--host", "127.0.0.1", "--port", str(port)]
    if processes > 1:
        arguments += ["--workers", str(processes)]
    log = home / "server.log"
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(side.command), *arguments], env=side.environment(home, settings), cwd=home, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            while not healthy(port):
                if process.poll() is not None or time.perf_counter() - start > STARTS_WITHIN:
                    tail = log.read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"{side.name}: `prefect {' '.join(arguments)}` is not healthy:\n{tail}")
                time.sleep(0.01)
            yield Server(f"http://127.0.0.1:{port}/api", process.pid, time.perf_counter() - start)
        finally:
            stop(process)


def healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        pass
    # Its children, if it left any; the session is theirs alone.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def idle_memory(server: Server) -> float:
    """Megabytes that all processes of the server hold, a while after they answered some requests."""
    asyncio.run(rest.measure(server.url, 1, 0.1))
    time.sleep(3)
    listed = subprocess.run(["ps", "-A", "-o", "pid=,pgid=,rss="], capture_output=True, text=True, check=True).stdout
    rows = [[int(word) for word in line.split()] for line in listed.splitlines()]
    return sum(kilobytes for _, group, kilobytes in rows if group == server.pid) / 1024


def hello(side: Side, server: Server, repeats: int) -> float:
    """Seconds of hello.py as a process, recorded by the server."""
    settings = {"PREFECT_API_URL": server.url}
    with tempfile.TemporaryDirectory() as home:
        side.run(Path(home), "hello.py", settings=settings)
        return statistics.median(side.run(Path(home), "hello.py", settings=settings)[0] for _ in range(repeats))


# -- PostgreSQL ------------------------------------------------------------------------------------------------------


def postgres_answers() -> bool:
    """Whether there is a PostgreSQL; says so on stderr when there is none."""
    try:
        psycopg.connect(POSTGRES, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        where = urlsplit(POSTGRES).netloc.rpartition("@")[2]
        print(
            f"PostgreSQL is left out: {where} does not answer ({str(error).strip()}). "
            "PREFECT_TEST_POSTGRES_URL names another.",
            file=sys.stderr,
        )
        return False
    return True


@contextmanager
def new_database() -> Iterator[str]:
    """A new, empty database, which is dropped at the end; gives its URL as both sides read it."""
    name = f"prefect_bench_{uuid4().hex[:12]}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlsplit(POSTGRES)._replace(scheme="postgresql+asyncpg", path=f"/{name}").geturl()
    finally:
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
