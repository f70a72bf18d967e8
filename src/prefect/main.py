"""The public names of `prefect`, under the path that some programs import them from."""

from prefect.utilities._lazy import lazy_names

__getattr__ = lazy_names(
    __name__,
    {
        "Flow": "prefect.flows",
        "State": "prefect.client.schemas.objects",
        "Task": "prefect.tasks",
        "Transaction": "prefect.transactions",
        "allow_failure": "prefect.utilities.annotations",
        "apause_flow_run": "prefect.flow_runs",
        "aresume_flow_run": "prefect.flow_runs",
        "aserve": "prefect.flows",
        "asuspend_flow_run": "prefect.flow_runs",
        "flow": "prefect.flows",
        "get_client": "prefect.client.orchestration",
        "get_run_logger": "prefect.logging.loggers",
        "pause_flow_run": "prefect.flow_runs",
        "resume_flow_run": "prefect.flow_runs",
        "serve": "prefect.flows",
        "suspend_flow_run": "prefect.flow_runs",
        "tags": "prefect.context",
        "task": "prefect.tasks",
        "unmapped": "prefect.utilities.annotations",
    },
)
