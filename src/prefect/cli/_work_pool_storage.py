"""`prefect work-pool storage`: where the code and the results of runs go that are submitted from Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import click

from prefect.cli import _output, _params, _session
from prefect.cli._api import connect, missing_is
from prefect.cli._commands import command_group
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import BlockDocumentCreate, BlockDocumentUpdate, WorkPoolUpdate
from prefect.client.schemas.objects import WorkPoolStorageConfiguration
from prefect.exceptions import ObjectNotFound

F = TypeVar("F", bound=Callable[..., Any])

storage = command_group("storage", "Say where runs that are submitted from Python keep code and results.")
configure = command_group("configure", "Choose the storage of a work pool.")
storage.add_command(configure)
_POOL = _params.argument("work_pool_name", "--work-pool-name", "Name of the work pool.")


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of storage: the package that uploads to it, and its blocks."""

    title: str
    package: str
    place: str
    block_type: str
    place_in_block: str
    folder_in_block: dict[str, str]
    credentials_type: str
    credentials_key: str
    credentials_in_block: str

    @property
    def module(self) -> str:
        return f"{self.package.replace('-', '_')}.experimental.bundles"


_S3 = _Kind(
    "S3",
    "prefect-aws",
    "bucket",
    "s3-bucket",
    "bucket_name",
    {"bucket_folder": "results"},
    "aws-credentials",
    "aws_credentials_block_name",
    "credentials",
)
_GCS = _Kind(
    "GCS",
    "prefect-gcp",
    "bucket",
    "gcs-bucket",
    "bucket",
    {"bucket_folder": "results"},
    "gcp-credentials",
    "gcp_credentials_block_name",
    "gcp_credentials",
)
_AZURE = _Kind(
    "Azure Blob Storage",
    "prefect-azure",
    "container",
    "azure-blob-storage-container",
    "container_name",
    {"base_folder": "results"},
    "azure-blob-storage-credentials",
    "azure_blob_storage_credentials_block_name",
    "credentials",
)


def _launchers() -> Callable[[F], F]:
    def add(function: F) -> F:
        for prefix, what in (("execution-", "that run the code"), ("upload-", "that upload"), ("", "of both kinds")):
            function = _params.repeatable(f"--{prefix}launcher-arg", help="An argument of that program.")(function)
            function = _params.option(f"--{prefix}launcher", help=f"A program that starts the steps {what}.")(function)
        return function

    return add


@configure.command("s3")
@_POOL
@_params.option("--bucket", help="Name of the bucket.")
@_params.option("--aws-credentials-block-name", "credentials", help="Name of the block with the credentials.")
@_launchers()
def s3(work_pool_name: str, bucket: str | None, credentials: str | None, **launchers: Any) -> None:
    """Keep code and results in an S3 bucket."""
    _configure(_S3, work_pool_name, bucket, credentials, launchers)


@configure.command("gcs")
@_POOL
@_params.option("--bucket", help="Name of the bucket.")
@_params.option("--gcp-credentials-block-name", "credentials", help="Name of the block with the credentials.")
@_launchers()
def gcs(work_pool_name: str, bucket: str | None, credentials: str | None, **launchers: Any) -> None:
    """Keep code and results in a Google Cloud Storage bucket."""
    _configure(_GCS, work_pool_name, bucket, credentials, launchers)


@configure.command("azure-blob-storage")
@_POOL
@_params.option("--container", help="Name of the container.")
@_params.option(
    "--azure-blob-storage-credentials-block-name",
    "credentials",
    help="Name of the block with the credentials.",
)
@_launchers()
def azure_blob_storage(work_pool_name: str, container: str | None, credentials: str | None, **launchers: Any) -> None:
    """Keep code and results in a container of Azure Blob Storage."""
    credentials = _asked(credentials, "--azure-blob-storage-credentials-block-name")
    _configure(_AZURE, work_pool_name, container, credentials, launchers)


@storage.command("inspect")
@_POOL
@_params.output()
def inspect(work_pool_name: str, as_json: bool) -> None:
    """Show the storage of a work pool."""
    with connect() as client, missing_is(_not_found(work_pool_name)):
        found = client.read_work_pool(work_pool_name).storage_configuration
    told: dict[str, Any] = {}
    for what, step in (("upload", found.bundle_upload_step), ("execution", found.bundle_execution_step)):
        for module, options in (step or {}).items():
            kinds = [kind.title for kind in (_S3, _GCS, _AZURE) if module.startswith(kind.module)]
            told.setdefault("type", kinds[0] if kinds else module)
            told[what] = options
    if as_json:
        _output.print_json(told)
    elif not told:
        _output.note(f"No storage configuration found for work pool {work_pool_name!r}")
    else:
        rows = [("type", told.pop("type"))]
        rows += [(f"{what}.{key}", str(value)) for what, options in told.items() for key, value in options.items()]
        _output.print_table(f"Storage Configuration for {work_pool_name}", ["Setting", "Value"], rows)


# -- parts -----------------------------------------------------------------------------------------------------------


def _asked(value: str | None, flag: str) -> str:
    """What was given, or else what the user answers, where there is somebody to ask."""
    if value:
        return value
    if not _session.is_interactive():
        _output.fail(f"When not using an interactive terminal, you must supply a value for `{flag}`.")
    return click.prompt(flag.lstrip("-").replace("-", " ").capitalize())


def _configure(
    kind: _Kind, pool_name: str, place: str | None, credentials: str | None, launchers: dict[str, Any]
) -> None:
    place = _asked(place, f"--{kind.place}")
    with connect() as client:
        with missing_is(_not_found(pool_name)):
            client.read_work_pool(pool_name)
        credentials_id = None if credentials is None else _credentials(client, kind, credentials)
        block_id = _result_block(client, kind, pool_name, place, credentials_id)
        options = {kind.place: place, **({} if credentials is None else {kind.credentials_key: credentials})}
        wanted = WorkPoolStorageConfiguration(
            bundle_upload_step={f"{kind.module}.upload": {**options, **_starter(kind, launchers, "upload")}},
            bundle_execution_step={f"{kind.module}.execute": {**options, **_starter(kind, launchers, "execution")}},
            default_result_storage_block_id=block_id,
        )
        with missing_is(_not_found(pool_name)):
            client.update_work_pool(pool_name, WorkPoolUpdate(storage_configuration=wanted))
    _output.success(f"Configured {kind.title} storage for work pool {pool_name!r}")


def _starter(kind: _Kind, launchers: dict[str, Any], what: str) -> dict[str, Any]:
    """What starts a step: the program that was named for it, or for both; else the package that has the step."""
    for prefix in (f"{what}_", ""):
        program, arguments = launchers[f"{prefix}launcher"], launchers[f"{prefix}launcher_arg"]
        if program is not None:
            return {"launcher": [program, *arguments]}
        if arguments:
            flag = f"--{prefix}launcher".replace("_", "-")
            _output.fail(f"{flag}-arg needs {flag}: there is no program that takes the argument.")
    return {"requires": kind.package}


def _credentials(client: SyncPrefectClient, kind: _Kind, name: str) -> UUID:
    with missing_is(
        f"There is no block {name!r} of the type {kind.credentials_type!r}. Create it with `prefect block create "
        f"{kind.credentials_type}`."
    ):
        return client.read_block_document_by_name(name, kind.credentials_type, include_secrets=False).id


def _result_block(
    client: SyncPrefectClient, kind: _Kind, pool_name: str, place: str, credentials_id: UUID | None
) -> UUID:
    """The block with which the runs of the pool keep their results; made, or changed, for this place."""
    data: dict[str, Any] = {kind.place_in_block: place, **kind.folder_in_block}
    if credentials_id is not None:
        data[kind.credentials_in_block] = {"$ref": {"block_document_id": str(credentials_id)}}
    name = f"default-{pool_name}-result-storage"
    with missing_is(
        f"The block type {kind.block_type!r} is not registered. Run `pip install {kind.package}` and "
        f"`prefect block register -m {kind.package.replace('-', '_')}` first."
    ):
        block_type = client.read_block_type_by_slug(kind.block_type)
        schema = client.get_most_recent_block_schema_for_block_type(block_type.id)
    if schema is None:
        _output.fail(f"The block type {kind.block_type!r} has no schema. Register {kind.package} again.")
    try:
        existing = client.read_block_document_by_name(name, kind.block_type, include_secrets=False)
    except ObjectNotFound:
        wanted = BlockDocumentCreate(name=name, data=data, block_schema_id=schema.id, block_type_id=block_type.id)
        return client.create_block_document(wanted).id
    client.update_block_document(
        existing.id, BlockDocumentUpdate(data=data, block_schema_id=schema.id, merge_existing_data=False)
    )
    return existing.id


def _not_found(name: str) -> str:
    return f"Work pool {name!r} not found."
