"""The events of a worker: that it has started and stopped, and what it has done with a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect._version import __version__
from prefect.events.related import object_as_related_resource
from prefect.events.schemas.events import Event, RelatedResource
from prefect.events.utilities import emit_event

if TYPE_CHECKING:
    from prefect.workers._job_configuration import BaseJobConfiguration
    from prefect.workers.base import BaseWorker


def worker_resource(worker: BaseWorker[Any, Any, Any]) -> dict[str, str]:
    """The labels of a worker as the resource of an event."""
    return {
        "prefect.resource.id": f"prefect.worker.{worker.type}.{worker.get_name_slug()}",
        "prefect.resource.name": worker.name,
        "prefect.version": __version__,
        "prefect.worker-type": worker.type,
    }


def related_resources(
    worker: BaseWorker[Any, Any, Any], configuration: BaseJobConfiguration | None, include_self: bool
) -> list[RelatedResource]:
    """What an event of a worker concerns.

    Args:
        worker: The worker.
        configuration: Of the job that the event is about, if it is about one.
        include_self: Add the worker, where the event is one of something else.
    """
    related = configuration._related_resources() if configuration is not None else []
    if worker._work_pool is not None:
        related.append(object_as_related_resource("work-pool", "work-pool", worker._work_pool))
    if include_self:
        labels = {**worker_resource(worker), "prefect.resource.role": "worker"}
        related.append(RelatedResource.model_validate(labels))
    return related


def emit_started(worker: BaseWorker[Any, Any, Any]) -> Event | None:
    """Tell that a worker has started."""
    return _emit("prefect.worker.started", worker)


def emit_stopped(worker: BaseWorker[Any, Any, Any], started: Event | None) -> None:
    """Tell that a worker has stopped, which had told that it started."""
    _emit("prefect.worker.stopped", worker, follows=started)


def emit_submitted(worker: BaseWorker[Any, Any, Any], configuration: BaseJobConfiguration) -> Event | None:
    """Tell that a worker begins to start a run."""
    return _emit("prefect.worker.submitted-flow-run", worker, configuration)


def emit_executed(
    worker: BaseWorker[Any, Any, Any],
    configuration: BaseJobConfiguration,
    submitted: Event | None,
    identifier: str,
    status_code: int,
) -> None:
    """Tell that the infrastructure of a run has ended.

    Args:
        worker: The worker.
        configuration: Of the job.
        submitted: The event that told of the start.
        identifier: Of the infrastructure.
        status_code: How it ended.
    """
    related = worker._event_related_resources(configuration)
    for resource in related:
        if resource.role == "flow-run":
            resource["prefect.infrastructure.identifier"] = str(identifier)
            resource["prefect.infrastructure.status-code"] = str(status_code)
    _emit("prefect.worker.executed-flow-run", worker, related=related, follows=submitted)


def _emit(
    name: str,
    worker: BaseWorker[Any, Any, Any],
    configuration: BaseJobConfiguration | None = None,
    related: list[RelatedResource] | None = None,
    follows: Event | None = None,
) -> Event | None:
    if related is None:
        related = worker._event_related_resources(configuration)
    return emit_event(name, worker._event_resource(), related=related, follows=follows)
