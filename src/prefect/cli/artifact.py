"""`prefect artifact`: see and delete what runs left to be looked at."""

from collections.abc import Iterable
from uuid import UUID

import click

from prefect.cli import _output, _params, _times
from prefect.cli._api import PAGE_SIZE, connect, missing_is, read_pages
from prefect.cli._commands import command_group
from prefect.cli._run_states import id_column
from prefect.cli._show import show
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import ArtifactFilter
from prefect.client.schemas.objects import Artifact, ArtifactCollection
from prefect.client.schemas.sorting import ArtifactCollectionSort, ArtifactSort

artifact = command_group("artifact", "See and delete artifacts.")


@artifact.command("ls")
@_params.option("--limit", type=click.IntRange(min=0), default=100, show_default=True, help="List at most so many.")
@_params.switch("--all", "-a", help="List all artifacts, not just the latest of each key.")
@_params.output()
def ls(limit: int, all: bool, as_json: bool) -> None:
    """List artifacts by key: the latest of each."""
    with connect() as client:
        found: Iterable[Artifact | ArtifactCollection]
        if all:
            found = read_pages(client.read_artifacts, limit, sort=ArtifactSort.KEY_ASC)
        else:
            found = read_pages(client.read_latest_artifacts, limit, sort=ArtifactCollectionSort.KEY_ASC)
        artifacts = list(found)
    if as_json:
        _output.print_json(artifacts)
        return
    if not artifacts:
        _output.echo("No artifacts found.")
        return
    rows = [
        (
            str(item.latest_id if isinstance(item, ArtifactCollection) else item.id),
            item.key or "-",
            item.type or "-",
            _times.relative(item.updated) if item.updated else "-",
        )
        for item in artifacts
    ]
    columns = [id_column(), ("Key", {"style": "blue"}), ("Type", {"style": "blue"}), "Updated"]
    _output.print_table("Artifacts", columns, rows)


@artifact.command("inspect")
@_params.argument("key", "--key", "Key of the artifacts.")
@_params.option("--limit", type=click.IntRange(min=0), default=10, show_default=True, help="Show at most so many.")
@_params.output()
def inspect(key: str, limit: int, as_json: bool) -> None:
    """Show the artifacts of a key, the newest first."""
    with connect() as client:
        sort = ArtifactSort.CREATED_DESC
        artifacts = list(read_pages(client.read_artifacts, limit, artifact_filter=_of_key(key), sort=sort))
        if not artifacts and not _has_artifacts(client, key):
            _output.fail(f"Artifact {key!r} not found.")
    if as_json:
        _output.print_json(artifacts)
        return
    for number, item in enumerate(artifacts):
        if number:
            _output.echo()
        show(item)


@artifact.command("delete")
@_params.argument("key", "--key", "Delete all artifacts of this key.", required=False)
@_params.option("--id", type=click.UUID, help="Delete the artifact with this id.")
def delete(key: str | None, id: UUID | None) -> None:
    """Delete artifacts, by key or by id."""
    if key is not None and id is not None:
        _output.fail("Give either a key or an id, not both.")
    with connect() as client:
        if id is not None:
            _output.confirm_or_abort(f"Delete artifact '{id}'?")
            with missing_is(f"Artifact '{id}' not found."):
                client.delete_artifact(id)
            _output.success(f"Deleted artifact '{id}'.")
        elif key is not None:
            _delete_key(client, key)
        else:
            _output.fail("Give the key of the artifacts to delete, or the id of one: --id ID.")


def _delete_key(client: SyncPrefectClient, key: str) -> None:
    if not _has_artifacts(client, key):
        _output.fail(f"Artifact {key!r} not found. To delete a single artifact, give its id: --id ID.")
    _output.confirm_or_abort(f"Delete all artifacts with key {key!r}?")
    deleted = 0
    while page := client.read_artifacts(artifact_filter=_of_key(key), limit=PAGE_SIZE):
        for item in page:
            client.delete_artifact(item.id)
        deleted += len(page)
    _output.success(f"Deleted {deleted} artifact(s) with key {key!r}.")


def _has_artifacts(client: SyncPrefectClient, key: str) -> bool:
    return bool(client.read_artifacts(artifact_filter=_of_key(key), limit=1))


def _of_key(key: str) -> ArtifactFilter:
    return ArtifactFilter.model_validate({"key": {"any_": [key]}})
