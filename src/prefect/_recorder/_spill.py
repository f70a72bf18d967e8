"""Records that wait on disk: one file for each process, one record a line, deleted when all have been delivered.

The first line names the process as the holder of the runs that its records tell of: whoever delivers them later must not
seem to be the one that runs them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import BinaryIO

from prefect._recorder._wire import EVENT, LOG, Record
from prefect.client._holder import this_holder
from prefect.types._ids import uuid7

try:
    import fcntl
except ImportError:  # where files cannot be locked, those of other processes are left alone
    fcntl = None  # type: ignore[assignment]

_SUFFIX = ".spill"
_HOLDER = b"H"
_LONGEST_HEAD = 300
_FIT = re.compile(rb"[!-~]{1,200}")


class Spill:
    """The file of one process, made when it is first needed. The process holds a lock on it as long as it lives."""

    def __init__(self, folder: Path, file: BinaryIO | None = None, path: Path | None = None) -> None:
        self._folder = folder
        self.holder: str | None = this_holder() if file is None else _read_holder(file)
        """The process whose records these are; None for a file that does not say."""
        self._file = file
        self._path = path
        self._read_to = 0
        self.chunk: tuple[list[Record], int] | None = None
        """What is being sent: the records that are unsent, and the position after them."""

    @property
    def is_empty(self) -> bool:
        """Whether no record waits here."""
        return self._file is None

    def append(self, records: list[Record]) -> None:
        """Write records, and have them on the disk before this returns.

        Raises:
            OSError: The disk does not take them; nothing of them is kept.
        """
        file = self._file or self._create()
        start = file.seek(0, os.SEEK_END)
        try:
            head = b"" if start or self.holder is None else b"%s %s\n" % (_HOLDER, self.holder.encode("ascii"))
            file.write(head + b"".join(b"%s %s\n" % record for record in records))
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            file.truncate(start)
            raise

    def _create(self) -> BinaryIO:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = self._folder / f"{os.getpid()}-{uuid7()}{_SUFFIX}"
        # Unbuffered: what could not be written must not be written later.
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "r+b", buffering=0)
        _lock(self._file)
        return self._file

    def read(self, most: int, most_bytes: int) -> tuple[list[Record], int]:
        """The next records, at least one, and the position after them, for `advance`.

        A line that is not whole, because its process was killed while it wrote, is passed over.
        """
        assert self._file is not None
        self._file.seek(self._read_to)
        block = self._file.read(most_bytes)
        while b"\n" not in block:
            more = self._file.read(most_bytes)
            if not more:  # the rest is half a line
                return [], self._read_to + len(block)
            block += more
        block = block[: block.rindex(b"\n") + 1]
        lines = block.split(b"\n")[:-1][:most]
        end = self._read_to + sum(len(line) + 1 for line in lines)
        kinds = {EVENT, LOG}
        return [Record(line[:1], line[2:]) for line in lines if line[:1] in kinds and line.endswith(b"}")], end

    def advance(self, position: int) -> None:
        """Forget what stands before a position; the file goes when nothing is left in it."""
        assert self._file is not None
        self._read_to = position
        if position >= os.fstat(self._file.fileno()).st_size:
            if self._path is not None:
                self._path.unlink(missing_ok=True)
            self.close()

    def close(self) -> None:
        """Let go of the file, for another process to take it over."""
        if self._file is not None:
            self._file.close()
        self._file, self._path, self._read_to, self.chunk = None, None, 0, None


def _read_holder(file: BinaryIO) -> str | None:
    file.seek(0)
    kind, _, holder = file.readline(_LONGEST_HEAD).rstrip(b"\n").partition(b" ")
    return holder.decode("ascii") if kind == _HOLDER and _FIT.fullmatch(holder) else None


def adopt_spills(folder: Path) -> list[Spill]:
    """Take over the files of processes that have ended."""
    adopted: list[Spill] = []
    if fcntl is None or not folder.is_dir():
        return adopted
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        try:
            file = path.open("r+b", buffering=0)
        except OSError:
            continue  # another process was faster
        # A file that has been deleted in between is that of a process that has delivered it.
        if _lock(file) and os.fstat(file.fileno()).st_nlink and os.fstat(file.fileno()).st_size:
            adopted.append(Spill(folder, file, path))
        else:
            file.close()
    return adopted


def _lock(file: BinaryIO) -> bool:
    if fcntl is None:
        return False
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
