"""What a run says and what it is called: run loggers, prints as logs, and names made of parameters.

Run it with `python examples/logging_and_names.py`.
"""

import datetime

from prefect import flow, get_run_logger, task
from prefect.runtime import flow_run, task_run


@task(task_run_name="load-{table}-{day:%Y-%m-%d}", log_prints=True)
def load(table: str, day: datetime.date) -> str:
    """Prints of this task are log lines of its run."""
    print(f"loading {table}")
    return task_run.name


def name_of_run() -> str:
    """Names can be made by a function, too."""
    return f"nightly-of-{len(flow_run.parameters['tables'])}-tables"


@flow(flow_run_name=name_of_run, timeout_seconds=60)
def nightly(tables: list[str], day: datetime.date) -> list[str]:
    """Levels, arguments and extras are those of the standard library."""
    logger = get_run_logger()
    names = [load(table, day) for table in tables]
    logger.info("Loaded %d tables", len(names), extra={"tables": tables})
    logger.debug("Not shown unless PREFECT_LOGGING_LEVEL=DEBUG")
    return names


if __name__ == "__main__":
    print(nightly(["users", "orders"], "2026-01-31"))
