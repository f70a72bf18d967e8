"""Headers by which an API learns for which run, deployment or worker a request is made."""

from __future__ import annotations

import os

_VARIABLES = {
    "X-Prefect-Worker-Id": "PREFECT__WORKER_ID",
    "X-Prefect-Worker-Name": "PREFECT__WORKER_NAME",
    "X-Prefect-Flow-Id": "PREFECT__FLOW_ID",
    "X-Prefect-Flow-Name": "PREFECT__FLOW_NAME",
    "X-Prefect-Flow-Run-Id": "PREFECT__FLOW_RUN_ID",
    "X-Prefect-Flow-Run-Name": "PREFECT__FLOW_RUN_NAME",
    "X-Prefect-Deployment-Id": "PREFECT__DEPLOYMENT_ID",
    "X-Prefect-Deployment-Name": "PREFECT__DEPLOYMENT_NAME",
}


def get_attribution_headers() -> dict[str, str]:
    """The headers for this process, as the worker or runner that started it has told."""
    return {header: value for header, name in _VARIABLES.items() if (value := os.environ.get(name))}
