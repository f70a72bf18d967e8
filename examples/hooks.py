"""Hooks: what is to happen when a run changes its state, apart from what the run itself does.

Run it with `python examples/hooks.py`.
"""

from prefect import flow, task
from prefect.client.schemas.objects import FlowRun, State
from prefect.flows import Flow


def tell_the_team(flow: Flow, flow_run: FlowRun, state: State) -> None:
    """Where an alert would be sent."""
    print(f"ALERT {flow.name}: {state.message}")


def note(flow: Flow, flow_run: FlowRun, state: State) -> None:
    """Where a metric would be counted."""
    print(f"{flow.name} is {state.name}")


@task
def divide(a: int, b: int) -> float:
    """Fails for b = 0."""
    return a / b


@divide.on_failure
def explain(task, task_run, state) -> None:
    """Tasks have hooks too; they can be added after the decorator."""
    print(f"{task.name} failed with {type(state.result(raise_on_failure=False)).__name__}")


@flow(on_running=[note], on_completion=[note], on_failure=[note, tell_the_team])
def ratio(a: int, b: int) -> float:
    """Divide, with hooks for every end."""
    return divide(a, b)


if __name__ == "__main__":
    ratio(1, 2)
    ratio(1, 0, return_state=True)
