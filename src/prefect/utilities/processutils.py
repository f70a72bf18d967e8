"""Starts processes, passes their output on, and passes signals on to them."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from anyio.abc import Process, TaskStatus
    from anyio.streams.text import TextReceiveStream

__all__ = [
    "PrintFn",
    "TextSink",
    "command_from_string",
    "command_to_string",
    "consume_process_output",
    "forward_signal_handler",
    "get_sys_executable",
    "open_process",
    "run_process",
    "sanitize_subprocess_env",
    "setup_signal_handlers_agent",
    "setup_signal_handlers_server",
    "setup_signal_handlers_worker",
    "stream_text",
]

T = TypeVar("T")

PrintFn = Callable[[str], object]
TextSink = Any
"""An open text file, one of anyio's, or anyio's stream to send text to."""

# --- commands ---------------------------------------------------------------------------------------------------------


def command_to_string(command: list[str]) -> str:
    """Return a command as one line for the shell of this platform."""
    return subprocess.list2cmdline(command) if sys.platform == "win32" else shlex.join(command)


def command_from_string(command: str) -> list[str]:
    """Return the parts of a command that is one line for the shell of this platform."""
    if sys.platform != "win32":
        return shlex.split(command)
    # Backslashes are parts of paths there.
    return [part.strip('"') if part[:1] == part[-1:] == '"' else part for part in shlex.split(command, posix=False)]


def get_sys_executable() -> str:
    """Return the Python interpreter of this process, as it is written in a command."""
    return f'"{sys.executable}"' if sys.platform == "win32" and " " in sys.executable else sys.executable


def sanitize_subprocess_env(
    env: Mapping[str, str | None] | None, *, remove_from: MutableMapping[str, str] | None = None
) -> dict[str, str]:
    """Return environment variables without those that are None.

    Args:
        remove_from: Other environment variables, which lose those that are None.
    """
    for name, value in (env or {}).items():
        if value is None and remove_from is not None:
            remove_from.pop(name, None)
    return {name: value for name, value in (env or {}).items() if value is not None}


# --- running ----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def open_process(command: list[str], **kwargs: Any) -> AsyncGenerator[Process, Any]:
    """Start a process, and wait for its end when the block is left; a cancellation ends it at once.

    Args:
        command: The program and its arguments.
        **kwargs: As of `anyio.open_process`.

    Raises:
        TypeError: The command is not a list.
    """
    import anyio  # noqa: PLC0415 - costs 60 ms, and starting a process is rare

    if not isinstance(command, list):
        raise TypeError(
            f"The command passed to open process must be a list. You passed the command {command!r}, which is of type "
            f"{type(command).__name__!r}. Split it with `command_from_string`."
        )
    async with await anyio.open_process(command, **kwargs) as process:
        try:
            yield process
        except BaseException:
            # The end of the block waits for the process, which must not be for ever.
            _end(process)
            raise


def _end(process: Process) -> None:
    try:
        process.terminate()
    except OSError:
        # It has ended already.
        return


@overload
async def run_process(
    command: list[str],
    *,
    stream_output: bool | tuple[TextSink | None, TextSink | None] = ...,
    task_status: TaskStatus[T],
    task_status_handler: Callable[[Process], T],
    **kwargs: Any,
) -> Process: ...
@overload
async def run_process(
    command: list[str],
    *,
    stream_output: bool | tuple[TextSink | None, TextSink | None] = ...,
    task_status: TaskStatus[int] | None = ...,
    task_status_handler: None = None,
    **kwargs: Any,
) -> Process: ...
async def run_process(
    command: list[str],
    *,
    stream_output: bool | tuple[TextSink | None, TextSink | None] = False,
    task_status: TaskStatus[Any] | None = None,
    task_status_handler: Callable[[Process], Any] | None = None,
    **kwargs: Any,
) -> Process:
    """Run a process to its end.

    Args:
        command: The program and its arguments.
        stream_output: Pass its output on: to that of this process, or to a pair of sinks, of which None takes nothing.
        task_status: Told when the process has started.
        task_status_handler: Makes of the process what is told; its number unless given.
        **kwargs: As of `anyio.open_process`.

    Returns:
        The process, which has ended.
    """
    sinks = (sys.stdout, sys.stderr) if stream_output is True else stream_output or (None, None)
    pipes = {
        "stdout": subprocess.DEVNULL if sinks[0] is None else subprocess.PIPE,
        "stderr": subprocess.DEVNULL if sinks[1] is None else subprocess.PIPE,
    }
    async with open_process(command, **{**pipes, **kwargs}) as process:
        if task_status is not None:
            task_status.started(process.pid if task_status_handler is None else task_status_handler(process))
        if stream_output:
            await consume_process_output(process, stdout_sink=sinks[0], stderr_sink=sinks[1])
        await process.wait()
    return process


async def consume_process_output(
    process: Process, stdout_sink: TextSink | None = None, stderr_sink: TextSink | None = None
) -> None:
    """Pass the output of a process on until it ends.

    Args:
        stdout_sink: Where its standard output goes; read and dropped if None.
        stderr_sink: Where its standard error goes; read and dropped if None.
    """
    import anyio  # noqa: PLC0415 - loaded already, by whoever opened the process
    from anyio.streams.text import TextReceiveStream  # noqa: PLC0415 - likewise

    async with anyio.create_task_group() as tasks:
        for stream, sink in ((process.stdout, stdout_sink), (process.stderr, stderr_sink)):
            if stream is not None:
                tasks.start_soon(stream_text, TextReceiveStream(stream, errors="replace"), sink)


async def stream_text(source: TextReceiveStream, *sinks: TextSink | None) -> None:
    """Pass text on from a stream to sinks until the stream ends.

    Args:
        sinks: Open files, files of anyio, or streams of anyio; None takes nothing.
    """
    async for text in source:
        for sink in sinks:
            if sink is None:
                continue
            if hasattr(sink, "send"):
                await sink.send(text)
                continue
            written = sink.write(text)
            if hasattr(written, "__await__"):
                await written
                await sink.flush()
            else:
                sink.flush()


# --- signals ----------------------------------------------------------------------------------------------------------


def forward_signal_handler(pid: int, signum: int, *signums: int, process_name: str, print_fn: PrintFn) -> None:
    """Pass a signal that this process receives on to another.

    Args:
        pid: The number of the other process.
        signum: The signal.
        *signums: What to send: the first of them on the first occasion, the next on the next, and so on; the same
            signal unless given.
        process_name: How to call the process in messages.
        print_fn: Called with each message.
    """
    to_send, *later = signums or (signum,)

    def forward(received: int, frame: FrameType | None) -> None:
        name = signal.Signals(to_send).name
        if received == to_send:
            print_fn(f"Received {name}. Sending signal to {process_name} (PID {pid})...")
        else:
            print_fn(f"Received {signal.Signals(received).name}. Sending {name} to {process_name} (PID {pid})...")
        try:
            os.kill(pid, to_send)
        except ProcessLookupError:
            # It ended in the meantime.
            return
        if later:
            forward_signal_handler(pid, signum, *later, process_name=process_name, print_fn=print_fn)

    signal.signal(signum, forward)


def _setup(pid: int, process_name: str, print_fn: PrintFn, *, ask: int, insist: int) -> None:
    # A terminal asks by one signal, a supervisor by another; who asks again wants an end now.
    if sys.platform == "win32":
        forward_signal_handler(
            pid, signal.SIGINT, signal.CTRL_BREAK_EVENT, process_name=process_name, print_fn=print_fn
        )
        return
    for received in (signal.SIGINT, signal.SIGTERM):
        forward_signal_handler(pid, received, ask, insist, process_name=process_name, print_fn=print_fn)


def setup_signal_handlers_server(pid: int, process_name: str, print_fn: PrintFn) -> None:
    """Pass the wish to end on to a server: it is interrupted, and terminated when asked again."""
    _setup(pid, process_name, print_fn, ask=signal.SIGINT, insist=signal.SIGTERM)


def setup_signal_handlers_agent(pid: int, process_name: str, print_fn: PrintFn) -> None:
    """Pass the wish to end on to an agent: it is interrupted, and killed when asked again."""
    _setup(pid, process_name, print_fn, ask=signal.SIGINT, insist=getattr(signal, "SIGKILL", signal.SIGTERM))


def setup_signal_handlers_worker(pid: int, process_name: str, print_fn: PrintFn) -> None:
    """Pass the wish to end on to a worker: it is interrupted, and killed when asked again."""
    _setup(pid, process_name, print_fn, ask=signal.SIGINT, insist=getattr(signal, "SIGKILL", signal.SIGTERM))
