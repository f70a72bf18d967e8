"""The runner's end of the lines to the processes of its flow runs (the other end: `prefect._engine.supervision`).

Over a line the runner says why it is about to end a process, and learns that a run has ended, however its process goes on.
Nothing depends on a line: without one, processes are ended by signals alone.
"""

from __future__ import annotations

import asyncio
import secrets
from types import TracebackType

from typing_extensions import Self

from prefect._engine.supervision import ACKNOWLEDGED, CONCLUDED, PORT_VARIABLE, TOKEN_VARIABLE, Order
from prefect.logging.loggers import get_logger

logger = get_logger("runner")

_ANSWER_SECONDS = 1.0
"""How long a process may take to acknowledge an order: one whose interpreter is busy does not."""
_LAST_WORDS_SECONDS = 0.5
"""How long what a process has said before its end may take to be read."""
_GREETING_SECONDS = 10.0


class Line:
    """The line to one process, which may or may not be taken up by it.

    Attributes:
        has_concluded: Whether the process has said that its run is in a final state.
    """

    def __init__(self, channel: ControlChannel, token: str) -> None:
        self._channel = channel
        self._token = token
        self._writer: asyncio.StreamWriter | None = None
        self._acknowledged = asyncio.Event()
        self._closed = asyncio.Event()
        self.has_concluded = False

    @property
    def environment(self) -> dict[str, str]:
        """What the process must be told to take up the line; nothing when there is none."""
        port = self._channel.port
        return {} if port is None else {PORT_VARIABLE: str(port), TOKEN_VARIABLE: self._token}

    async def say(self, order: Order) -> bool:
        """Say what the signal that follows is for. Returns whether that was heard."""
        if self._writer is None:
            return False
        self._acknowledged.clear()
        try:
            self._writer.write(order.value)
            await self._writer.drain()
            await asyncio.wait_for(self._acknowledged.wait(), _ANSWER_SECONDS)
        except (OSError, asyncio.TimeoutError):
            return False
        return True

    async def last_words(self) -> None:
        """Wait, when the process has ended, until all that it has said has been read."""
        if self._writer is None:
            return
        try:
            await asyncio.wait_for(self._closed.wait(), _LAST_WORDS_SECONDS)
        except asyncio.TimeoutError:
            # A process that it had forked still holds the connection open.
            return

    async def listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve the connection that the process has opened, to its end."""
        self._writer = writer
        try:
            while said := await reader.read(1):
                if said == ACKNOWLEDGED:
                    self._acknowledged.set()
                elif said == CONCLUDED:
                    self.has_concluded = True
        finally:
            self._closed.set()

    def close(self) -> None:
        """Give the line up: its token is worth nothing any more."""
        self._channel.forget(self._token)
        if self._writer is not None:
            self._writer.close()


class ControlChannel:
    """Listens on the loopback interface for the processes that a runner starts, while in its `async with` block."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._lines: dict[str, Line] = {}

    @property
    def port(self) -> int | None:
        """Where it listens; None when it cannot."""
        return None if self._server is None else self._server.sockets[0].getsockname()[1]

    async def __aenter__(self) -> Self:
        try:
            self._server = await asyncio.start_server(self._welcome, "127.0.0.1", 0)
        except OSError as error:
            logger.warning("Flow runs will be ended by signals alone: no port to talk to them on (%s).", error)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for line in list(self._lines.values()):
            line.close()
        if self._server is not None:
            self._server.close()
            self._server = None

    def open_line(self) -> Line:
        """Make the line to a process that is about to be started."""
        token = secrets.token_urlsafe(32)
        line = self._lines[token] = Line(self, token)
        return line

    def forget(self, token: str) -> None:
        """Let nobody take up a line any more."""
        self._lines.pop(token, None)

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            greeting = await asyncio.wait_for(reader.readline(), _GREETING_SECONDS)
            # A token serves once.
            line = self._lines.pop(greeting.decode("ascii", "replace").strip(), None)
            if line is not None:
                await line.listen(reader, writer)
        except (OSError, ValueError, asyncio.TimeoutError):
            return
        finally:
            writer.close()
