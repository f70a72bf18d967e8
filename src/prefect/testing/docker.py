"""Looks at the images that code would build."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from prefect.utilities.dockerutils import ImageBuilder


@contextmanager
def capture_builders() -> Generator[list[ImageBuilder], None, None]:
    """Collect the image builders that are made in this block, in order."""
    made: list[ImageBuilder] = []
    original = ImageBuilder.__init__

    @wraps(original)
    def collecting(self: ImageBuilder, *args: Any, **kwargs: Any) -> None:
        made.append(self)
        original(self, *args, **kwargs)

    ImageBuilder.__init__ = collecting
    try:
        yield made
    finally:
        ImageBuilder.__init__ = original


__all__ = ["capture_builders"]
