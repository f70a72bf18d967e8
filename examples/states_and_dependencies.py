"""Futures and states: tasks that wait for one another, and failures that are looked at instead of raised.

Run it with `python examples/states_and_dependencies.py`.
"""

from prefect import allow_failure, flow, task
from prefect.states import Completed, State


@task
def boil_water(litres: float) -> str:
    """Fails when there is too much of it."""
    if litres > 2:
        raise ValueError("the kettle is too small")
    return f"{litres} l of hot water"


@task
def warm_pot() -> None:
    """Returns nothing that anybody needs, yet has to be done first."""


@task
def brew(water: str | Exception) -> str:
    """Takes a failure too, because its caller allows it."""
    return "cold brew" if isinstance(water, Exception) else f"tea of {water}"


@flow
def make_tea(litres: float) -> str | State:
    """Futures as arguments and in `wait_for` say what comes first."""
    warmed = warm_pot.submit()
    water = boil_water.submit(litres)
    tea = brew.submit(allow_failure(water), wait_for=[warmed])
    drink = tea.result()
    if water.state.is_failed():
        return Completed(message=f"{drink}, because {water.result(raise_on_failure=False)}", data=drink)
    return drink


if __name__ == "__main__":
    print(make_tea(1))
    state = make_tea(5, return_state=True)
    print(f"{state.name}: {state.message}")
