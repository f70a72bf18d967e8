"""`prefect block`: configured blocks, and the types they are of."""

from uuid import UUID

import click

from prefect.cli import _links, _output, _params
from prefect.cli._api import connect, missing_is, read_pages
from prefect.cli._block_types import block_types
from prefect.cli._commands import command_group
from prefect.cli._run_states import id_column
from prefect.cli._show import show
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import BlockDocument
from prefect.exceptions import ObjectNotFound

block = command_group("block", "Work with blocks and their types.")
block.add_command(block_types)
block.add_alias("types", "type")


@block.command("ls")
@_params.output()
def ls(as_json: bool) -> None:
    """List blocks, without their secrets."""
    with connect() as client:
        blocks = list(read_pages(client.read_block_documents, include_secrets=False))
    if as_json:
        _output.print_json(blocks)
        return
    if not blocks:
        _output.echo("No blocks found. See which types there are: prefect block type ls")
        return
    rows = [(str(item.id), _type_name(item), item.name or "-", _slug(item)) for item in blocks]
    columns = [id_column(), ("Type", {"style": "blue"}), ("Name", {"style": "blue"}), ("Slug", {"style": "blue"})]
    _output.print_table("Blocks", columns, sorted(rows, key=lambda row: row[3]))


@block.command("inspect")
@_params.argument("slug", "--slug", "The block, as TYPE/NAME.", required=False)
@_params.option("--id", type=click.UUID, help="The block's id, instead of its name.")
@_params.output()
def inspect(slug: str | None, id: UUID | None, as_json: bool) -> None:
    """Show a block, without its secrets."""
    with connect() as client:
        found = _read(client, slug, id)
    if as_json:
        _output.print_json(found)
        return
    show({"Slug": _slug(found), "Block Type": _type_name(found), "Block id": found.id, **(found.data or {})})


@block.command("create")
@_params.argument("block_type_slug", "--block-type-slug", "Type of the block. See `prefect block type ls`.")
def create(block_type_slug: str) -> None:
    """Print a link to the page where a block is created."""
    with connect() as client:
        try:
            client.read_block_type_by_slug(block_type_slug)
        except ObjectNotFound:
            known = sorted(item.slug for item in client.read_block_types())
            _output.fail(f"Block type {block_type_slug!r} not found. There are: {', '.join(known) or 'none'}.")
    page = _links.needed_link(f"blocks/catalog/{block_type_slug}/create", f"block type {block_type_slug!r}")
    _output.echo(f"Create a {block_type_slug} block: {page}")


@block.command("register")
@_params.option("--module", "-m", help="Name of a module with classes of blocks.")
@_params.option("--file", "-f", help="Path of a Python file with classes of blocks.")
def register(module: str | None, file: str | None) -> None:
    """Make the types of blocks that a module or a file defines known to the API."""
    if (module is None) == (file is None):
        _output.fail("Give either a module or a file with blocks to register: --module NAME or --file PATH.")
    # Imported here because only this command runs code with blocks.
    from prefect.cli._block_registration import load_blocks  # noqa: PLC0415

    blocks = load_blocks(module, file)
    for item in blocks:
        item.register_type_and_schema()
    _output.success(f"Registered {len(blocks)} block{'s' if len(blocks) > 1 else ''}.")
    _output.print_table("", ["Registered Blocks"], [[item.get_block_type_name()] for item in blocks])
    if page := _links.link("blocks/catalog"):
        _output.echo(f"Configure them at {page}")


@block.command("delete")
@_params.argument("slug", "--slug", "The block, as TYPE/NAME.", required=False)
@_params.option("--id", type=click.UUID, help="The block's id, instead of its name.")
def delete(slug: str | None, id: UUID | None) -> None:
    """Delete a block."""
    with connect() as client:
        found = _read(client, slug, id)
        name = _slug(found)
        _output.confirm_or_abort(f"Delete block {name!r}?")
        with missing_is(f"Block {name!r} not found."):
            client.delete_block_document(found.id)
    _output.success(f"Deleted block {name!r}.")


def _read(client: SyncPrefectClient, slug: str | None, id: UUID | None) -> BlockDocument:
    """A block without its secrets. Ends the command if it is not named properly, or not there."""
    if id is not None:
        with missing_is(f"Block '{id}' not found."):
            return client.read_block_document(id, include_secrets=False)
    if slug is None:
        _output.fail("Give the block as TYPE/NAME, or its id: --id ID.")
    block_type, slash, name = slug.partition("/")
    if not slash:
        _output.fail(f"{slug!r} is no block. Write it as TYPE/NAME, for example 'secret/my-password'.")
    with missing_is(f"Block {slug!r} not found."):
        return client.read_block_document_by_name(name, block_type, include_secrets=False)


def _slug(item: BlockDocument) -> str:
    return f"{item.block_type.slug if item.block_type else '?'}/{item.name}"


def _type_name(item: BlockDocument) -> str:
    return item.block_type_name or (item.block_type.name if item.block_type else "-")
