"""Deployments: a flow, when it runs, and with what, stored in the API and run from code.

`apply` stores the deployment; `run_deployment` asks for a run. Here this process is also the one that runs it; usually that is a
worker, or a process that serves the deployment.

Run it with `python examples/deployments.py`.
"""

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.deployments import run_deployment
from prefect.flow_engine import run_flow
from prefect.schedules import Cron
from prefect.utilities.annotations import freeze


@flow
def report(city: str, days: int = 7) -> str:
    """Say how the last days were."""
    return f"{city}: {days} days"


if __name__ == "__main__":
    weekly = report.to_deployment(
        "weekly",
        schedule=Cron("0 6 * * MON", timezone="Europe/Berlin", slug="mondays"),
        parameters={"city": "Berlin", "days": freeze(7)},
        tags=["reports"],
    )
    weekly.apply()
    with get_client(sync_client=True) as client:
        stored = client.read_deployment_by_name("report/weekly")
    print(stored.schedules[0].schedule.cron, stored.parameters, stored.tags)

    run = run_deployment("report/weekly", parameters={"city": "Tokyo"}, timeout=0)
    print(run.state.name, run.parameters)
    print(run_flow(report, flow_run=run))
