"""Variables, which change without a deployment, and events, which tell the world what happened.

Run it with `python examples/variables_and_events.py`.
"""

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.events import emit_event
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.variables import Variable

LOADS = {"web-1": 0.35, "web-2": 0.97}


@task
def watch(machine: str, load: float) -> None:
    """Emit an event when the load is over the limit of today."""
    limit = Variable.get("load-limit", default=0.9)
    if load > limit:
        emit_event(
            event="machine.overloaded",
            resource={"prefect.resource.id": f"machine.{machine}"},
            payload={"load": load, "limit": limit},
        )


@flow
def watch_all() -> None:
    """Watch every machine."""
    for machine, load in LOADS.items():
        watch(machine, load)


if __name__ == "__main__":
    Variable.set("load-limit", 0.8, overwrite=True)
    watch_all()
    with get_client(sync_client=True) as client:
        page = client.read_events(EventFilter(event=EventNameFilter(name=["machine.overloaded"])))
    for event in page.events:
        print(f"{event.resource.id} {event.payload}")
