"""Says what the exit code of a flow run's process means. Knows nothing of processes."""

from __future__ import annotations

import logging
import signal
from dataclasses import dataclass

CTRL_C_ON_WINDOWS = 0xC000013A


@dataclass(frozen=True, slots=True)
class Exit:
    """What an exit code other than 0 means.

    Attributes:
        code: The exit code; minus the number of the signal that ended the process.
        level: At which level to log it: ends that somebody may have wanted are no errors.
        reason: What it usually comes from, as a sentence.
        advice: What to look at, as a sentence.
    """

    code: int
    level: int
    reason: str
    advice: str

    @property
    def message(self) -> str:
        """What has happened, in one line."""
        return f"Process exited with status code {self.code}: {self.reason}"


_LOGS = "The logs of the flow run, and of what it runs on, may say more."
_MEMORY = "If nobody has ended it on purpose, give it more memory, or let it use less."

_INFO, _ERROR = logging.INFO, logging.ERROR
_KNOWN: dict[int, tuple[int, str, str]] = {
    -9: (_INFO, "it was killed (SIGKILL), by the system when memory ran out, or by somebody.", _MEMORY),
    -15: (_INFO, "it was told to terminate (SIGTERM).", "Look for what shut the process, its container or its machine down."),
    1: (_ERROR, "it ended with an error.", _LOGS),
    125: (_ERROR, "its container could not be started.", "Check the image and the options of the container."),
    126: (_ERROR, "its command was found, but could not be executed.", "Check the permissions and the format of the command."),
    127: (_ERROR, "its command was not found.", "Check the command, and the PATH of its environment."),
    137: (_ERROR, "its container was killed (SIGKILL), usually because memory ran out.", _MEMORY),
    143: (_INFO, "its container was told to terminate (SIGTERM).", "Look for what shut the container down."),
    247: (_ERROR, "it was ended, usually because memory ran out.", _MEMORY),
    CTRL_C_ON_WINDOWS: (_INFO, "it was interrupted by Ctrl-C or Ctrl-Break.", _LOGS),
}  # fmt: skip


def explain_exit(code: int) -> Exit:
    """What an exit code means.

    Args:
        code: Not 0. Below 0, it is the number of a signal.
    """
    if code in _KNOWN:
        return Exit(code, *_KNOWN[code])
    if code < 0:
        return Exit(code, _ERROR, f"it was ended by {_signal_name(-code)}.", _LOGS)
    return Exit(code, _ERROR, "this status code has no common meaning.", _LOGS)


def _signal_name(number: int) -> str:
    try:
        return f"the signal {signal.Signals(number).name}"
    except ValueError:
        return f"signal {number}"
