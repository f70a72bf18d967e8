"""What deploying prints: what was done, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.settings import get_current_settings

if TYPE_CHECKING:
    from types import ModuleType

    from prefect.deployments.runner import RunnerDeployment


def _rich() -> ModuleType:
    import rich.console  # noqa: PLC0415 - costs 70 ms, and most deployments are made to be served, or one by one
    import rich.table  # noqa: PLC0415
    import rich.text  # noqa: PLC0415

    return rich


def say(message: str, style: str | None = None) -> None:
    """Print a message. Commands and links in it are not broken into lines."""
    rich = _rich()
    rich.console.Console(soft_wrap=True).print(rich.text.Text(message, style=style or ""))


def say_done(message: str) -> None:
    """Print that something was done."""
    say(message, "green")


def hint_at_serve() -> None:
    """Print that there is a simpler way on one machine."""
    say(
        "Looks like you're deploying to a process work pool. To run flows on this machine, calling `.serve` on them is"
        " simpler: it needs neither a work pool nor a worker.\nSet `ignore_warnings=True` to suppress this message.\n",
        "yellow",
    )


def show_outcomes(outcomes: Sequence[tuple[str, Exception | None]]) -> None:
    """Print which deployments were applied, and why others were not."""
    if all(error is None for _, error in outcomes):
        say_done("\nSuccessfully created/updated all deployments!\n")
    else:
        say("\nEncountered errors while creating/updating deployments:\n", "yellow")
    rich = _rich()
    table, text = rich.table.Table(title="Deployments", show_lines=True), rich.text.Text
    table.add_column("Name", style="blue", no_wrap=True)
    table.add_column("Status", no_wrap=True)
    table.add_column("Details")
    for name, error in outcomes:
        status = text("applied", style="green") if error is None else text("failed", style="red")
        table.add_row(text(name), status, text("" if error is None else str(error)))
    rich.console.Console().print(table)


def say_what_is_next(
    deployments: Sequence[RunnerDeployment], ids: Sequence[UUID], pool_without_worker: str | None
) -> None:
    """Print how runs of the deployments are started, and the worker that runs them."""
    alone = len(deployments) == 1
    if pool_without_worker is not None:
        say(
            f"\nTo execute flow runs from {'this deployment' if alone else 'these deployments'}, start a worker in a"
            f" separate terminal that pulls work from the {pool_without_worker!r} work pool:\n\n"
            f"        $ prefect worker start --pool {pool_without_worker!r}"
        )
    if alone:
        say(
            "\nTo schedule a run for this deployment, use the following command:\n\n"
            f"        $ prefect deployment run {deployments[0].full_name!r}\n"
        )
    else:
        say(
            "\nTo trigger any of these deployments, use the following command:\n\n"
            "        $ prefect deployment run [DEPLOYMENT_NAME]\n"
        )
    if url := get_current_settings().ui_url:
        where = f"{url}/deployments/deployment/{ids[0]}" if alone else f"{url}/deployments"
        say(f"You can also run {'your flow' if alone else 'them'} via the Prefect UI: {where}\n")
