"""Frames of the channel between a worker and the API: made, and read."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, TypeVar
from uuid import uuid4

from prefect.client.schemas.worker_channel import (
    WorkerChannelApplicationFrame,
    WorkerChannelApplicationFrameAdapter,
    WorkerChannelFrame,
)

F = TypeVar("F", bound=WorkerChannelFrame)


def make_frame(kind: type[F], payload: Any) -> F:
    """A frame of a kind, sent now."""
    (type_,) = kind.model_fields["type"].annotation.__args__  # type: ignore[union-attr]
    return kind(type=type_, id=uuid4(), sent_at=datetime.now(timezone.utc), payload=payload)  # type: ignore[call-arg]


def read_frame(text: str | bytes) -> WorkerChannelApplicationFrame:
    """Read a frame of any kind.

    Raises:
        pydantic.ValidationError: It is none.
    """
    return WorkerChannelApplicationFrameAdapter.validate_json(text)
