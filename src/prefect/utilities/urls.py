"""Builds the URLs of objects in the UI and in the API."""

from __future__ import annotations

import re
from importlib import import_module
from string import Formatter
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from prefect.utilities._lazy import lazy_names

if TYPE_CHECKING:
    from prefect.utilities._restricted_urls import (
        SSRFProtectedAsyncHTTPTransport,
        SSRFProtectedHTTPTransport,
        validate_restricted_url,
    )

__all__ = [
    "API_URL_FORMATS",
    "RUN_TYPES",
    "UI_URL_FORMATS",
    "SSRFProtectedAsyncHTTPTransport",
    "SSRFProtectedHTTPTransport",
    "URLType",
    "convert_class_to_name",
    "url_for",
    "validate_restricted_url",
]

# They derive from httpx, which costs a quarter of a second to import.
__getattr__ = lazy_names(
    __name__,
    dict.fromkeys(
        ("SSRFProtectedAsyncHTTPTransport", "SSRFProtectedHTTPTransport", "validate_restricted_url"),
        "prefect.utilities._restricted_urls",
    ),
)

URLType = Literal["ui", "api"]

UI_URL_FORMATS = {
    "flow": "flows/flow/{obj_id}",
    "flow-run": "runs/flow-run/{obj_id}",
    "flow-run-response": "runs/flow-run/{obj_id}",
    "task-run": "runs/task-run/{obj_id}",
    "block": "blocks/block/{obj_id}",
    "block-document": "blocks/block/{obj_id}",
    "work-pool": "work-pools/work-pool/{obj_id}",
    "work-queue": "work-queues/work-queue/{obj_id}",
    "concurrency-limit": "concurrency-limits/concurrency-limit/{obj_id}",
    "deployment": "deployments/deployment/{obj_id}",
    "automation": "automations/automation/{obj_id}",
    "received-event": "events/event/{occurred}/{obj_id}",
    "worker": "work-pools/work-pool/{work_pool_name}/worker/{obj_id}",
}

API_URL_FORMATS = {
    "flow": "flows/{obj_id}",
    "flow-run": "flow_runs/{obj_id}",
    "task-run": "task_runs/{obj_id}",
    "variable": "variables/name/{obj_id}",
    "block": "blocks/{obj_id}",
    "work-pool": "work_pools/{obj_id}",
    "work-queue": "work_queues/{obj_id}",
    "concurrency-limit": "concurrency_limits/{obj_id}",
    "deployment": "deployments/{obj_id}",
    "automation": "automations/{obj_id}",
}

RUN_TYPES = {"flow-run", "task-run"}

_NAMED_BY_NAME = {"variable", "work-pool"}


def convert_class_to_name(obj: Any) -> str:
    """Return the name of an object's class in lower case, with dashes between words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", type(obj).__name__).lower()


def url_for(
    obj: Any,
    obj_id: str | UUID | None = None,
    url_type: URLType = "ui",
    default_base_url: str | None = None,
    **additional_format_kwargs: Any,
) -> str | None:
    """Return the URL of an object in the UI or in the API.

    Args:
        obj: The object, such as a flow run, future, block or event; or the name of its kind, such as "flow-run".
        obj_id: Its id, needed with the name of a kind. Work pools and variables go by their names.
        url_type: Whose URL, "ui" or "api".
        default_base_url: What to build on where the settings name no API.
        **additional_format_kwargs: More parts of the URL: `work_pool_name` of a worker, `occurred` of an event.

    Returns:
        The URL, or None for an object that has none, or where nothing says where the UI or the API is.

    Raises:
        ValueError: The kind of URL is unknown, or a part of the URL is missing.
    """
    if url_type not in ("ui", "api"):
        raise ValueError(f"Invalid URL type: {url_type}. Use 'ui' or 'api'.")
    if isinstance(obj, str) and not obj_id:
        raise ValueError("If passing an object name, you must also provide an object ID.")
    kind, identity, facts = (obj, obj_id, {}) if isinstance(obj, str) else _identify(obj)
    url_format = (UI_URL_FORMATS if url_type == "ui" else API_URL_FORMATS).get(kind)
    base_url = _base_url(url_type, default_base_url)
    if url_format is None or base_url is None:
        return None
    parts = {"obj_id": obj_id or identity, **facts, **additional_format_kwargs}
    missing = [name for _, name, _, _ in Formatter().parse(url_format) if name and parts.get(name) is None]
    if missing:
        raise ValueError(
            f"Unable to generate URL for {kind} because the following keys are missing: {', '.join(missing)}"
        )
    return f"{base_url.rstrip('/')}/{url_format.format(**parts)}"


def _base_url(url_type: URLType, default: str | None) -> str | None:
    # The settings live one layer up.
    settings = import_module("prefect.settings").get_current_settings()
    return (settings.ui_url if url_type == "ui" else settings.api.url) or default


def _identify(obj: Any) -> tuple[str, Any, dict[str, Any]]:
    """Return the kind, the id and the other facts that the URL of an object needs.

    The classes live in higher layers, so objects are told by what they have.
    """
    if hasattr(obj, "task_run_id"):
        return "task-run", obj.task_run_id, {}
    if hasattr(obj, "flow_run_id") and callable(getattr(obj, "result", None)):
        return "flow-run", obj.flow_run_id, {}
    if hasattr(obj, "_block_document_id"):
        return "block", obj._block_document_id, {}
    kind = convert_class_to_name(obj)
    if kind in ("resource", "related-resource"):
        return _identify_resource(obj)
    if kind == "received-event":
        return kind, obj.id, {"occurred": obj.occurred.strftime("%Y-%m-%d")}
    if kind.endswith("-response"):
        kind = kind.removesuffix("-response")
    return kind, getattr(obj, "name" if kind in _NAMED_BY_NAME else "id", None), {}


def _identify_resource(resource: Any) -> tuple[str, Any, dict[str, Any]]:
    # Ids of resources look like `prefect.flow-run.<id>`.
    _, kind, identity = [*resource["prefect.resource.id"].split(".", 2), "", ""][:3]
    if kind in _NAMED_BY_NAME:
        identity = resource.get("prefect.resource.name") or identity
    return kind, identity, {}
