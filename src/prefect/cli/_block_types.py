"""`prefect block type`: the types that blocks can be of."""

from typing import Any

from prefect.cli import _output, _params
from prefect.cli._api import connect, missing_is
from prefect.cli._commands import command_group
from prefect.cli._show import show
from prefect.exceptions import ProtectedBlockError

block_types = command_group("type", "Work with types of blocks.")


@block_types.command("ls")
@_params.output()
def ls(as_json: bool) -> None:
    """List types of blocks."""
    with connect() as client:
        found = sorted(client.read_block_types(), key=lambda item: item.slug)
    if as_json:
        _output.print_json(found)
        return
    if not found:
        _output.echo("No block types found.")
        return
    rows = [(item.slug, _first_sentence(item.description), f"prefect block create {item.slug}") for item in found]
    columns = [("Block Type Slug", {"style": "cyan"}), "Description", "Generate creation link"]
    _output.print_table("Block Types", columns, rows)


@block_types.command("inspect")
@_params.argument("slug", "--slug", "Slug of the type.")
@_params.output()
def inspect(slug: str, as_json: bool) -> None:
    """Show a type of blocks, and the fields of its newest schema."""
    with connect() as client, missing_is(_not_found(slug)):
        found = client.read_block_type_by_slug(slug)
        schema = client.get_most_recent_block_schema_for_block_type(found.id)
    if as_json:
        _output.print_json({"block_type": found, "schema": schema})
        return
    show(found)
    fields: dict[str, Any] = schema.fields.get("properties", {}) if schema else {}
    if fields:
        _output.echo()
        rows = [(name, "\n".join(f"{key}: {value}" for key, value in field.items())) for name, field in fields.items()]
        _output.print_table("Schema Properties", [("Name", {"style": "cyan"}), "Properties"], rows)


@block_types.command("delete")
@_params.argument("slug", "--slug", "Slug of the type.")
def delete(slug: str) -> None:
    """Delete a type of blocks, and all its blocks."""
    with connect() as client, missing_is(_not_found(slug)):
        found = client.read_block_type_by_slug(slug)
        _output.confirm_or_abort(f"Delete block type {slug!r} and all its blocks?")
        try:
            client.delete_block_type(found.id)
        except ProtectedBlockError:
            _output.fail(f"Block type {slug!r} is protected and cannot be deleted.")
    _output.success(f"Deleted block type {slug!r}.")


def _first_sentence(text: str | None) -> str:
    line = " ".join((text or "").split("\n\n")[0].split())
    return line.partition(". ")[0].rstrip(".")


def _not_found(slug: str) -> str:
    return f"Block type {slug!r} not found."
