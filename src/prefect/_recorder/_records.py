"""Task runs and their states as the engine keeps them: plain slotted objects, a fraction of a model's size and cost."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import orjson


class StateRecord:
    """One state of a task run.

    `details` holds what `state_details` has besides the run ids. `data` is what the run's owner sees (a result record
    or an exception); `stored_data` is the part of it that goes to the database.
    """

    __slots__ = ("data", "details", "id", "message", "model", "name", "stored_data", "timestamp", "type")

    def __init__(
        self,
        id: UUID,
        type: str,
        name: str,
        timestamp: datetime,
        message: str | None = None,
        details: dict[str, Any] | None = None,
        data: Any = None,
        stored_data: Any = None,
    ) -> None:
        self.id = id
        self.type = type
        self.name = name
        self.timestamp = timestamp
        self.message = message
        self.details = details
        self.data = data
        self.stored_data = stored_data
        self.model: Any = None


class RelatedSet:
    """The related resources that the events of many runs share; stored once, under a key made from its content."""

    __slots__ = ("id", "resources", "text")

    def __init__(self, resources: Sequence[Mapping[str, str]]) -> None:
        self.resources = resources
        self.text = orjson.dumps(resources).decode()
        self.id = related_set_id(self.text)


def related_set_id(text: str) -> str:
    """The key of a set of related resources, given as JSON text."""
    return str(UUID(bytes=hashlib.sha256(text.encode()).digest()[:16]))


class TaskRunRecord:
    """A task run as far as it has got. The engine changes it; the recorder takes a snapshot with each state."""

    __slots__ = (
        "cache_expiration",
        "cache_key",
        "created",
        "dynamic_key",
        "end_time",
        "expected_start_time",
        "flow_run_id",
        "flow_run_run_count",
        "id",
        "labels",
        "name",
        "next_scheduled_start_time",
        "policy",
        "related",
        "run_count",
        "start_time",
        "state",
        "tags",
        "task_inputs",
        "task_key",
        "task_version",
        "total_run_time",
    )

    id: UUID
    name: str
    created: datetime
    flow_run_id: UUID | None
    task_key: str
    dynamic_key: str
    task_version: str | None
    tags: Sequence[str]
    labels: Mapping[str, Any] | None
    policy: Mapping[str, Any] | None
    task_inputs: Mapping[str, Sequence[Mapping[str, str]]] | None
    cache_key: str | None
    cache_expiration: datetime | None
    flow_run_run_count: int
    run_count: int
    expected_start_time: datetime | None
    next_scheduled_start_time: datetime | None
    start_time: datetime | None
    end_time: datetime | None
    total_run_time: float
    state: StateRecord | None
    related: RelatedSet | None


SNAPSHOT_FIELDS = (
    "id",
    "created",
    "name",
    "flow_run_id",
    "task_key",
    "dynamic_key",
    "task_version",
    "cache_key",
    "cache_expiration",
    "policy",
    "task_inputs",
    "tags",
    "labels",
    "flow_run_run_count",
    "state",
    "run_count",
    "expected_start_time",
    "next_scheduled_start_time",
    "start_time",
    "end_time",
    "total_run_time",
)
"""The order of a snapshot's elements; `models.recording` stores them in this order."""

snapshot = attrgetter(*SNAPSHOT_FIELDS)
