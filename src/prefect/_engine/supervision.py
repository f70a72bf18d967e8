"""The engine's end of the line to what supervises this process: hears what the end of the run is for, and tells that it has ended.

A supervisor listens on the loopback interface, and names port and token in the environment of the process. The process sends the
token as its first line. From then on each message is one byte: an order, which is acknowledged, or the news that the run is
over, by which the supervisor knows that whatever the process comes to has no meaning for the run.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from enum import Enum
from typing import Any
from uuid import UUID

from prefect.logging.loggers import get_logger

logger = get_logger("engine")

PORT_VARIABLE = "PREFECT__CONTROL_PORT"
TOKEN_VARIABLE = "PREFECT__CONTROL_TOKEN"
BOUND_VARIABLE = "PREFECT__CONTROL_BOUND"
"""Set for a process that is not to go on without its supervisor."""
HOOKS_VARIABLE = "PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS"
ACKNOWLEDGED = b"a"
CONCLUDED = b"d"
_PATIENCE_SECONDS = 5.0
_GRACE_SECONDS = 30.0
"""How long a process without its supervisor may take to end."""


class Order(Enum):
    """What a signal that follows it means, as it is sent."""

    CANCEL = b"c"
    RESCHEDULE = b"r"
    """End here; the run starts anew elsewhere."""
    RELINQUISH = b"l"
    """End here; whoever runs this process decides what becomes of the run."""


class _Line:
    def __init__(self, connection: Any, flow_run_id: UUID, is_bound: bool) -> None:
        self.flow_run_id = flow_run_id
        self._is_bound = is_bound
        self.order: Order | None = None
        self._connection = connection
        self._has_concluded = False
        threading.Thread(target=self._listen, name="prefect-supervision", daemon=True).start()

    def _listen(self) -> None:
        try:
            while said := self._connection.recv(1):
                self.order = Order(said)
                self._connection.sendall(ACKNOWLEDGED)
        except ValueError:
            return  # the supervisor speaks another language; it can still end the process
        except OSError:
            pass  # as when it hangs up
        if self._is_bound and self.order is None and not self._has_concluded:
            _end_orphan()

    def conclude(self) -> None:
        self._has_concluded = True
        try:
            self._connection.sendall(CONCLUDED)
        except OSError:
            return  # nobody is there to be told


def _end_orphan() -> None:
    """End this process, with what it has started: nobody could cancel its run any more, nor count it among those that go."""
    logger.error("What watches over this flow run is gone: the run ends here.")
    _signal(signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    _signal(getattr(signal, "SIGKILL", signal.SIGTERM))


def _signal(number: int) -> None:
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), number)
    else:
        os.kill(os.getpid(), number)


_line: _Line | None = None


def connect(flow_run_id: UUID) -> None:
    """Open the line to the supervisor of this process, if it has one that can be reached.

    What the environment says of it is removed, so that processes which the flow starts cannot pass for it.
    """
    global _line
    port, token = os.environ.pop(PORT_VARIABLE, ""), os.environ.pop(TOKEN_VARIABLE, "")
    is_bound = bool(os.environ.pop(BOUND_VARIABLE, ""))
    if not port or not token:
        return
    import socket  # noqa: PLC0415 - only processes of supervisors need it

    try:
        connection = socket.create_connection(("127.0.0.1", int(port)), timeout=_PATIENCE_SECONDS)
        connection.sendall(token.encode() + b"\n")
        connection.settimeout(None)
    except (OSError, ValueError):
        return  # the supervisor does without it: it can still end the process
    _line = _Line(connection, flow_run_id, is_bound)


def order() -> Order | None:
    """What the supervisor has ordered, if anything."""
    return _line.order if _line is not None else None


def owns_state_of(flow_run_id: UUID) -> bool:
    """Whether the supervisor decides, once it has ordered the end of this process, how this run ends."""
    return _line is not None and _line.flow_run_id == flow_run_id


def runs_cancellation_hooks() -> bool:
    """Whether the supervisor runs the hooks of the cancellation of the run that this process is for."""
    return os.environ.get(HOOKS_VARIABLE, "").lower() in ("false", "0")


def tell_end(flow_run_id: UUID) -> None:
    """Tell the supervisor that the run which it has started this process for has reached a final state."""
    if _line is not None and _line.flow_run_id == flow_run_id:
        _line.conclude()
