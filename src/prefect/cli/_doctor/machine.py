"""Checks of this machine: the home folder, the disk, the database, and what is installed."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prefect.cli._doctor.findings import Finding
from prefect.cli._doctor.reached import compare_clocks
from prefect.settings._catalog import origins
from prefect.settings._derive import kind_of_server

_LITTLE_BYTES, _TOO_LITTLE_BYTES = 500 * 2**20, 50 * 2**20
_OVER_NETWORKS = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "ceph", "lustre", "gpfs", "beegfs", "glusterfs"}
)


def check_home(settings: Any) -> Iterator[Finding]:
    """Whether the home folder can be written to, and its disk has room."""
    home: Path = settings.home
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        yield Finding(
            "home-not-writable",
            "error",
            f"The home folder {home} cannot be written to: {error.strerror or error}.",
            "Profiles, results, the embedded database, and records that wait for the API are kept there.",
            f"Give yourself the right (`chown -R $(id -un) {there}`), or set PREFECT_HOME to a folder of your own.",
        )
        return
    free = shutil.disk_usage(there).free
    if free < _LITTLE_BYTES:
        yield Finding(
            "disk-nearly-full",
            "error" if free < _TOO_LITTLE_BYTES else "warning",
            f"The disk of {home} has {free // 2**20} MB left.",
            "When it is full, results and records of runs cannot be stored, and runs fail.",
            "Free some room, set PREFECT_HOME to another disk, or keep less: PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED=true.",
        )


def check_database(settings: Any) -> Iterator[Finding]:
    """The server's database, where this machine uses it: without an API URL, or where one is configured."""
    configured = origins().keys() & {f"server.database.{part}" for part in ("connection_url", "driver", "host", "name")}
    if kind_of_server(settings) in ("server", "cloud") and not configured:
        return
    # Imported here: machines that only talk to a server have no use for it.
    from prefect.cli._database import StorageError, database_url, read_database_clock, read_schema_version  # noqa: PLC0415

    url = database_url(settings)
    try:
        read_schema_version(url)
        yield from compare_clocks("the database", read_database_clock(url))
    except ValueError as error:
        yield _unusable(str(error))
        return
    except StorageError as error:
        yield _unusable(str(error))
    if url.startswith("sqlite"):
        yield from _check_sqlite(settings, url)


def _unusable(problem: str) -> Finding:
    # The message names what is wrong and what to do, in this order.
    what, _, cure = problem.partition(". ")
    return Finding(
        "database-unusable",
        "error",
        what.rstrip(".") + ".",
        "Servers here do not start, and flows without a server fail.",
        cure or "Correct PREFECT_SERVER_DATABASE_CONNECTION_URL.",
    )


def _check_sqlite(settings: Any, url: str) -> Iterator[Finding]:
    from prefect.cli._database import sqlite_path  # noqa: PLC0415 - as above

    path = sqlite_path(url)
    filesystem = None if path is None else filesystem_of(path)
    if filesystem in _OVER_NETWORKS:
        yield Finding(
            "sqlite-on-network",
            "error",
            f"The SQLite database {path} is on a network filesystem ({filesystem}).",
            "Locks do not hold there between hosts: the file gets damaged.",
            "Put it on a local disk (PREFECT_SERVER_DATABASE_CONNECTION_URL=sqlite:////PATH), and let other hosts use it "
            "through one server; or use PostgreSQL.",
        )
    signs = [
        sign
        for sign, is_there in (
            (
                f"PREFECT_MESSAGING_BROKER is {settings.server.events.messaging_broker!r}, which joins servers",
                "memory" not in settings.server.events.messaging_broker,
            ),
            ("this is a pod of Kubernetes, which others replace or join", "KUBERNETES_SERVICE_HOST" in os.environ),
        )
        if is_there
    ]
    if signs and (path is None or kind_of_server(settings) != "ephemeral"):
        yield Finding(
            "sqlite-under-replicas",
            "warning",
            f"The server's database is SQLite ({path or 'in memory'}), and {' and '.join(signs)}.",
            "Each replica has a database of its own: clients see other runs each time, and what a pod stored goes with it.",
            "Use PostgreSQL: PREFECT_SERVER_DATABASE_CONNECTION_URL=postgresql+asyncpg://user:password@host:5432/database.",
        )


def filesystem_of(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """The type of the filesystem that a file is on, or would be; None where the system does not say."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    folders = {str(folder) for folder in (path.absolute(), *path.absolute().parents)}
    found: tuple[int, str] | None = None
    for line in lines:
        _, point, kind, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        # A later mount covers an earlier one at the same place.
        if point in folders and (found is None or len(point) >= found[0]):
            found = (len(point), kind)
    return None if found is None else found[1]
