"""Starts the process of a flow run, and ends it with everything that it has started."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.abc

from prefect.utilities.processutils import consume_process_output

_LOOK_SECONDS = 1.0
"""How often to look whether a process has ended whose output somebody else still holds open."""
_REST_SECONDS = 2.0
"""How long what a process has left behind may take to end."""
_PAUSE_SECONDS = 0.05


class RunProcess:
    """A process that leads a group of its own, so that signals of the terminal reach it only through its runner."""

    def __init__(self, process: anyio.abc.Process, chores: Sequence[asyncio.Task[None]]) -> None:
        self.process = process
        self._chores = chores
        self._ending = asyncio.create_task(self._watch())

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path | str | None = None,
        stream_output: bool = True,
        stdin: bytes | None = None,
    ) -> RunProcess:
        """Start it.

        Args:
            command: The program and its arguments.
            env: All of its environment.
            cwd: Where it runs; here by default.
            stream_output: Whether its output goes where that of this process goes; else it is dropped.
            stdin: What it reads from its standard input; nothing by default.

        Raises:
            OSError: It cannot be started.
        """
        sinks = [_sink(stream, stream_output) for stream in (sys.stdout, sys.stderr)]
        process = await anyio.open_process(
            list(command),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=sinks[0],
            stderr=sinks[1],
            cwd=cwd,
            env=env,
            start_new_session=sys.platform != "win32",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        chores: list[asyncio.Task[None]] = []
        if stdin is not None:
            chores.append(asyncio.create_task(_feed(process, stdin)))
        if subprocess.PIPE in sinks:
            chores.append(asyncio.create_task(consume_process_output(process, sys.stdout, sys.stderr)))
        return cls(process, chores)

    @property
    def pid(self) -> int:
        """Its number, which is also that of its group."""
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        """How it has ended; None while it has not."""
        return self.process.returncode

    async def wait(self) -> int:
        """Wait for its end; gives its exit code. What it has started may go on."""
        return await asyncio.shield(self._ending)

    async def _watch(self) -> int:
        waiting = asyncio.ensure_future(self.process.wait())
        while (code := self.process.returncode) is None:
            # The wait itself lasts until everything has ended that holds the output open.
            await asyncio.wait({waiting}, timeout=_LOOK_SECONDS)
        if self._chores:
            await asyncio.wait(self._chores, timeout=_LOOK_SECONDS)
        for task in (waiting, *self._chores):
            task.cancel()
        return code

    async def stop(self, grace_seconds: float) -> None:
        """Tell it to end, wait, and end it by force if it does not; then end what it has left behind."""
        self._tell()
        await asyncio.wait({self._ending}, timeout=grace_seconds)
        if self.exit_code is None:
            self.kill()
            await self.wait()
        await self._end_rest()

    def kill(self) -> None:
        """End it by force, with everything that it has started."""
        if not self._signal_group(getattr(signal, "SIGKILL", signal.SIGTERM)) and self.exit_code is None:
            self.process.kill()

    async def _end_rest(self) -> None:
        deadline = asyncio.get_running_loop().time() + _REST_SECONDS
        remains = self._signal_group(signal.SIGTERM)
        while remains and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(_PAUSE_SECONDS)
            remains = self._signal_group(0)
        if remains:
            self.kill()

    def _tell(self) -> None:
        if self.exit_code is not None:
            return
        try:
            self.process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))
        except ProcessLookupError:
            return  # it has just ended

    def _signal_group(self, number: int) -> bool:
        """Send a signal to the group; returns whether anything of it is left."""
        if sys.platform == "win32":
            return False
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return False
        except PermissionError:
            return False  # what is left belongs to somebody else by now
        return True


def _sink(stream: Any, is_wanted: bool) -> int:
    """Where the output of a process goes: straight to the file behind a stream, so that it survives this process."""
    if not is_wanted:
        return subprocess.DEVNULL
    try:
        return stream.fileno()
    except (AttributeError, OSError, ValueError):
        return subprocess.PIPE  # the stream is no file, as in a notebook


async def _feed(process: anyio.abc.Process, text: bytes) -> None:
    assert process.stdin is not None
    try:
        await process.stdin.send(text)
        await process.stdin.aclose()
    except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
        return  # it has ended without reading it
