"""`prefect concurrency-limit`: how many task runs with a tag may go at once."""

import click

from prefect.cli import _output, _params
from prefect.cli._api import connect, missing_is
from prefect.cli._commands import command_group
from prefect.cli._run_states import id_column
from prefect.cli._show import show

concurrency_limit = command_group("concurrency-limit", "Limit task runs by tag.")


@concurrency_limit.command("create")
@_params.argument("tag", "--tag", "Tag of the task runs.")
@_params.argument(
    "concurrency_limit", "--concurrency-limit", "How many of them may go at once.", type=click.IntRange(min=0)
)
def create(tag: str, concurrency_limit: int) -> None:
    """Limit how many task runs with a tag may go at once. A limit that exists is changed."""
    with connect() as client:
        client.create_concurrency_limit(tag=tag, concurrency_limit=concurrency_limit)
    _output.success(f"Task runs with tag {tag!r} are limited to {concurrency_limit} at once.")
    _output.echo(f"\nSee what uses it:\n    prefect concurrency-limit inspect {tag!r}")
    _output.echo(f"\nDelete it:\n    prefect concurrency-limit delete {tag!r}")


@concurrency_limit.command("ls")
@_params.option("--limit", type=click.IntRange(min=0), default=15, show_default=True, help="List at most so many.")
@_params.option("--offset", type=click.IntRange(min=0), default=0, help="Leave out so many first.")
@_params.output()
def ls(limit: int, offset: int, as_json: bool) -> None:
    """List the limits for tags."""
    with connect() as client:
        limits = client.read_concurrency_limits(limit=limit, offset=offset)
    if as_json:
        _output.print_json(limits)
        return
    if not limits:
        _output.echo("No concurrency limits found.")
        return
    rows = [
        (item.tag, str(item.id), str(item.concurrency_limit), str(len(item.active_slots)))
        for item in sorted(limits, key=lambda item: item.tag)
    ]
    columns = [("Tag", {"style": "green"}), id_column(), "Concurrency Limit", "Active Task Runs"]
    _output.print_table("Concurrency Limits", columns, rows)


@concurrency_limit.command("inspect")
@_params.argument("tag", "--tag", "Tag of the task runs.")
@_params.output()
def inspect(tag: str, as_json: bool) -> None:
    """Show a limit, and which task runs use it."""
    with connect() as client, missing_is(_not_found(tag)):
        found = client.read_concurrency_limit_by_tag(tag)
    if as_json:
        _output.print_json(found)
        return
    show(
        {
            "Tag": found.tag,
            "ID": found.id,
            "Concurrency Limit": found.concurrency_limit,
            "Created": found.created,
            "Updated": found.updated,
            "Active Task Run IDs": "\n".join(map(str, found.active_slots)) or "-",
        }
    )


@concurrency_limit.command("reset")
@_params.argument("tag", "--tag", "Tag of the task runs.")
def reset(tag: str) -> None:
    """Free all slots of a limit."""
    with connect() as client, missing_is(_not_found(tag)):
        client.read_concurrency_limit_by_tag(tag)
        _output.confirm_or_abort(f"Free all slots of the limit for tag {tag!r}?")
        client.reset_concurrency_limit_by_tag(tag)
    _output.success(f"Freed all slots of the concurrency limit for tag {tag!r}.")


@concurrency_limit.command("delete")
@_params.argument("tag", "--tag", "Tag of the task runs.")
def delete(tag: str) -> None:
    """Delete a limit."""
    with connect() as client, missing_is(_not_found(tag)):
        client.read_concurrency_limit_by_tag(tag)
        _output.confirm_or_abort(f"Delete the limit for tag {tag!r}?")
        client.delete_concurrency_limit_by_tag(tag)
    _output.success(f"Deleted the concurrency limit for tag {tag!r}.")


def _not_found(tag: str) -> str:
    return f"Concurrency limit for tag {tag!r} not found."
