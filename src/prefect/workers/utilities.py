"""Which types of workers there are, installed here or not, and the templates that their work pools start with."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from prefect.client.collections import get_collections_metadata_client
from prefect.workers.base import BaseWorker


async def get_available_work_pool_types() -> list[str]:
    """The types of workers that are installed here, or that the API knows of integration packages; sorted."""
    return sorted({*BaseWorker.get_all_available_worker_types(), *await _published()})


async def get_default_base_job_template_for_infrastructure_type(infra_type: str) -> dict[str, Any] | None:
    """The template that a work pool of a type starts with: of the workers installed here, else as the API knows it.

    Args:
        infra_type: The type.

    Returns:
        None if nobody knows the type.
    """
    worker = BaseWorker.get_worker_class_from_type(infra_type)
    if worker is not None:
        return deepcopy(worker.get_default_base_job_template())
    about = (await _published()).get(infra_type)
    return None if about is None else about["default_base_job_configuration"]


async def _published() -> dict[str, dict[str, Any]]:
    async with get_collections_metadata_client() as client:
        packages = await client.read_worker_metadata()
    return {type: about for types in packages.values() for type, about in types.items()}
