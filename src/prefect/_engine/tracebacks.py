"""Shows errors of the user's code without the frames of the engine around it."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from types import TracebackType

_PACKAGE = f"{Path(__file__).parent.parent}{os.sep}"


def trim(error: BaseException) -> None:
    """Take this package's frames out of an error's traceback, before the user's code and between it.

    Frames after the last one of the user's stay: they show where the error was raised. So does a traceback without any
    frame of the user's.
    """
    frames: list[TracebackType] = []
    frame = error.__traceback__
    while frame is not None:
        frames.append(frame)
        frame = frame.tb_next
    outside = [not frame.tb_frame.f_code.co_filename.startswith(_PACKAGE) for frame in frames]
    if True not in outside:
        return
    last = len(frames) - 1 - outside[::-1].index(True)
    kept = [frame for index, frame in enumerate(frames) if outside[index] or index > last]
    for frame, following in pairwise(kept):
        if frame.tb_next is not following:
            frame.tb_next = following
    error.__traceback__ = kept[0]
