"""Artifacts: results for people to look at, such as links, texts, tables, images and progress."""

from __future__ import annotations

import json
import math
import sys
import warnings
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from uuid import UUID

from prefect import _current
from prefect._asking import ask
from prefect._compat.dispatch import async_dispatch
from prefect._plans import Pair, Plan, run_plan, run_plan_async
from prefect.client._calls import artifacts as calls
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import Artifact as StoredArtifact
from prefect.client.schemas.sorting import ArtifactSort
from prefect.events.utilities import emit_event
from prefect.logging import get_logger

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

__all__ = [
    "Artifact",
    "ImageArtifact",
    "LinkArtifact",
    "MarkdownArtifact",
    "ProgressArtifact",
    "TableArtifact",
    "acreate_image_artifact",
    "acreate_link_artifact",
    "acreate_markdown_artifact",
    "acreate_progress_artifact",
    "acreate_table_artifact",
    "aupdate_progress_artifact",
    "create_image_artifact",
    "create_link_artifact",
    "create_markdown_artifact",
    "create_progress_artifact",
    "create_table_artifact",
    "update_progress_artifact",
]

logger = get_logger("artifacts")

Table: TypeAlias = dict[str, list[Any]] | list[dict[str, Any]] | list[list[Any]]


class Artifact(ArtifactCreate):
    """Something that a run shows to people. The same key again makes a new version of the same artifact.

    Args:
        type: What it is, such as `markdown`; decides how it is shown.
        key: Lower-case letters, digits and dashes. Without one, the artifact is seen with its run only.
        description: In Markdown.
        data: What is shown.
    """

    async def aformat(self) -> str | float | int | dict[str, Any]:
        """The data as it is stored."""
        return self._format()

    @async_dispatch(aformat)
    def format(self) -> str | float | int | dict[str, Any]:
        """The data as it is stored."""
        return self._format()

    def _format(self) -> Any:
        return json.dumps(self.data)

    async def acreate(self, client: PrefectClient | None = None) -> StoredArtifact:
        """Store this artifact with the current run; see `create`."""
        return await run_plan_async(self._plan_create(client))

    @async_dispatch(acreate)
    def create(self, client: PrefectClient | None = None) -> StoredArtifact:
        """Store this artifact with the current task run and flow run.

        Args:
            client: Stores it; a client of the active API by default.

        Returns:
            The artifact, as it is stored.
        """
        return run_plan(self._plan_create(client))

    @classmethod
    async def aget(cls, key: str | None = None, client: PrefectClient | None = None) -> StoredArtifact | None:
        """Read the latest version of an artifact; see `get`."""
        return await run_plan_async(_plan_latest(key, client))

    @classmethod
    @async_dispatch(aget)
    def get(cls, key: str | None = None, client: PrefectClient | None = None) -> StoredArtifact | None:
        """Read the latest version of an artifact.

        Args:
            key: Its key.
            client: Reads it; a client of the active API by default.

        Returns:
            The artifact, or None when there is none with that key.
        """
        return run_plan(_plan_latest(key, client))

    @classmethod
    async def aget_or_create(
        cls,
        key: str | None = None,
        description: str | None = None,
        data: dict[str, Any] | Any | None = None,
        client: PrefectClient | None = None,
        **kwargs: Any,
    ) -> tuple[StoredArtifact, bool]:
        """Read the latest version of an artifact, or create the first; see `get_or_create`."""
        return await run_plan_async(cls._plan_get_or_create(key, description, data, client, kwargs))

    @classmethod
    @async_dispatch(aget_or_create)
    def get_or_create(
        cls,
        key: str | None = None,
        description: str | None = None,
        data: dict[str, Any] | Any | None = None,
        client: PrefectClient | None = None,
        **kwargs: Any,
    ) -> tuple[StoredArtifact, bool]:
        """Read the latest version of an artifact, or create the first.

        Args:
            key: Its key.
            description: Of a new artifact.
            data: Of a new artifact.
            client: Reads and stores; a client of the active API by default.
            kwargs: More fields of a new artifact.

        Returns:
            The artifact, and whether it was created.
        """
        return run_plan(cls._plan_get_or_create(key, description, data, client, kwargs))

    @classmethod
    def _has_own_format(cls) -> bool:
        """Whether a user's subclass says how its data is stored."""
        return cls.format.__module__ != __name__ or cls.aformat.__module__ != __name__

    def _plan_create(self, client: Any = None) -> Plan[StoredArtifact]:
        flow_run_id, task_run_id = _current.flow_run_id(), _current.task_run_id()
        if flow_run_id is None and task_run_id is None:
            warnings.warn(
                "Artifact creation outside of a flow or task run is deprecated and will be removed in a later version.",
                FutureWarning,
                stacklevel=_level_of_user_code(),
            )
        new = ArtifactCreate(
            type=self.type,
            key=self.key,
            description=self.description,
            data=(yield _through(self.format)) if self._has_own_format() else self._format(),
            metadata_=self.metadata_,
            task_run_id=self.task_run_id or task_run_id,
            flow_run_id=self.flow_run_id or flow_run_id,
        )
        if client is not None:
            stored = yield _through(client.create_artifact, new)
        else:
            stored = yield ask(calls.create_artifact(new))
            _emit_created(stored)
        return stored

    @classmethod
    def _plan_get_or_create(
        cls, key: str | None, description: str | None, data: Any, client: Any, fields: dict[str, Any]
    ) -> Plan[tuple[StoredArtifact, bool]]:
        found = yield from _plan_latest(key, client)
        if found is not None:
            return found, False
        new = cls(key=key, description=description, data=data, **fields)
        return (yield from new._plan_create(client)), True


class LinkArtifact(Artifact):
    """A link, shown as Markdown."""

    link: str
    link_text: str | None = None
    type: str | None = "markdown"

    def _format(self) -> str:
        return f"[{self.link_text or self.link}]({self.link})"

    async def aformat(self) -> str:
        """The link in Markdown."""
        return self._format()

    # Type checkers take a dispatched function for an attribute, which no subclass may narrow, not even in `self`.
    @async_dispatch(aformat)
    def format(self) -> str:  # type: ignore[override]
        """The link in Markdown."""
        return self._format()


class MarkdownArtifact(Artifact):
    """A text in Markdown."""

    markdown: str
    type: str | None = "markdown"

    def _format(self) -> str:
        return self.markdown

    async def aformat(self) -> str:
        """The text."""
        return self._format()

    @async_dispatch(aformat)
    def format(self) -> str:  # type: ignore[override]
        """The text."""
        return self._format()


class TableArtifact(Artifact):
    """A table: a list of rows, each a list or a dictionary; or a dictionary of columns."""

    table: Table
    type: str | None = "table"

    def _format(self) -> str:
        return json.dumps(_without_nan(self.table))

    async def aformat(self) -> str:
        """The table as JSON, with null for values that are not a number."""
        return self._format()

    @async_dispatch(aformat)
    def format(self) -> str:  # type: ignore[override]
        """The table as JSON, with null for values that are not a number."""
        return self._format()


class ProgressArtifact(Artifact):
    """A progress bar, from 0 to 100."""

    progress: float
    type: str | None = "progress"

    def _format(self) -> float:
        return _clamp(self.progress)

    async def aformat(self) -> float:
        """The progress, brought into its range with a warning."""
        return self._format()

    @async_dispatch(aformat)
    def format(self) -> float:  # type: ignore[override]
        """The progress, brought into its range with a warning."""
        return self._format()


class ImageArtifact(Artifact):
    """An image that is found at a URL."""

    image_url: str
    type: str | None = "image"

    def _format(self) -> str:
        return self.image_url

    async def aformat(self) -> str:
        """The URL."""
        return self._format()

    @async_dispatch(aformat)
    def format(self) -> str:  # type: ignore[override]
        """The URL."""
        return self._format()


def _level_of_user_code() -> int:
    """How far above the caller the code stands that called this package, as `warnings.warn` counts."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("prefect."):
        frame, level = frame.f_back, level + 1
    return level


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _clamp(progress: float) -> float:
    clamped = min(max(progress, 0.0), 100.0)
    if clamped != progress:
        logger.warning("A progress of %s%% was given: it is taken as %s%%, within 0 and 100", progress, clamped)
    return clamped


def _through(method: Any, *args: Any, **kwargs: Any) -> Pair:
    """Call a method of a client that the user gave; it may be of the sync or of the async kind."""

    async def call_async() -> Any:
        value = method(*args, **kwargs)
        return await value if hasattr(value, "__await__") else value

    def call() -> Any:
        value = method(*args, **kwargs)
        if not hasattr(value, "__await__"):
            return value
        from prefect.utilities.asyncutils import run_coro_as_sync  # noqa: PLC0415 - an async client in sync code is rare

        return run_coro_as_sync(value)

    return Pair(call, call_async)


def _plan_latest(key: str | None, client: Any) -> Plan[StoredArtifact | None]:
    options: dict[str, Any] = {
        "limit": 1,
        "sort": ArtifactSort.UPDATED_DESC,
        "artifact_filter": ArtifactFilter(key=ArtifactFilterKey(any_=[key])) if key is not None else None,
    }
    if client is not None:
        found = yield _through(client.read_artifacts, **options)
    else:
        found = yield ask(calls.read_artifacts(**options))
    return found[0] if found else None


def _emit_created(stored: StoredArtifact) -> None:
    resource = {"prefect.resource.id": f"prefect.artifact.{stored.id}"}
    if stored.key:
        resource["prefect.resource.name"] = stored.key
    payload = {"key": stored.key, "type": stored.type, "description": stored.description}
    emit_event("prefect.artifact.created", resource=resource, payload=payload)


def _plan_create_id(artifact: Artifact, client: Any = None) -> Plan[UUID]:
    stored = yield from artifact._plan_create(client)
    return cast(UUID, stored.id)


# -- functions --------------------------------------------------------------------------------------------------------


async def acreate_link_artifact(
    link: str,
    link_text: str | None = None,
    key: str | None = None,
    description: str | None = None,
    client: PrefectClient | None = None,
) -> UUID:
    """Create an artifact that shows a link; see `create_link_artifact`."""
    new = LinkArtifact(key=key, description=description, link=link, link_text=link_text)
    return await run_plan_async(_plan_create_id(new, client))


@async_dispatch(acreate_link_artifact)
def create_link_artifact(
    link: str,
    link_text: str | None = None,
    key: str | None = None,
    description: str | None = None,
    client: PrefectClient | None = None,
) -> UUID:
    """Create an artifact that shows a link.

    Args:
        link: The URL.
        link_text: What is shown in its place.
        key: Lower-case letters, digits and dashes. Without one, the artifact is seen with its run only.
        description: In Markdown.
        client: Stores it; a client of the active API by default.

    Returns:
        The id of the new artifact.
    """
    new = LinkArtifact(key=key, description=description, link=link, link_text=link_text)
    return run_plan(_plan_create_id(new, client))


async def acreate_markdown_artifact(markdown: str, key: str | None = None, description: str | None = None) -> UUID:
    """Create an artifact that shows a text; see `create_markdown_artifact`."""
    return await run_plan_async(_plan_create_id(MarkdownArtifact(key=key, description=description, markdown=markdown)))


@async_dispatch(acreate_markdown_artifact)
def create_markdown_artifact(markdown: str, key: str | None = None, description: str | None = None) -> UUID:
    """Create an artifact that shows a text.

    Args:
        markdown: The text, in Markdown.
        key: Lower-case letters, digits and dashes. Without one, the artifact is seen with its run only.
        description: In Markdown.

    Returns:
        The id of the new artifact.
    """
    return run_plan(_plan_create_id(MarkdownArtifact(key=key, description=description, markdown=markdown)))


async def acreate_table_artifact(table: Table, key: str | None = None, description: str | None = None) -> UUID:
    """Create an artifact that shows a table; see `create_table_artifact`."""
    return await run_plan_async(_plan_create_id(TableArtifact(key=key, description=description, table=table)))


@async_dispatch(acreate_table_artifact)
def create_table_artifact(table: Table, key: str | None = None, description: str | None = None) -> UUID:
    """Create an artifact that shows a table.

    Args:
        table: A list of rows, each a list or a dictionary; or a dictionary of columns.
        key: Lower-case letters, digits and dashes. Without one, the artifact is seen with its run only.
        description: In Markdown.

    Returns:
        The id of the new artifact.
    """
    return run_plan(_plan_create_id(TableArtifact(key=key, description=description, table=table)))


async def acreate_progress_artifact(progress: float, key: str | None = None, description: str | None = None) -> UUID:
    """Create an artifact that shows a progress bar; see `create_progress_artifact`."""
    return await run_plan_async(_plan_create_id(ProgressArtifact(key=key, description=description, progress=progress)))


@async_dispatch(acreate_progress_artifact)
def create_progress_artifact(progress: float, key: str | None = None, description: str | None = None) -> UUID:
    """Create an artifact that shows a progress bar; `update_progress_artifact` moves it.

    Args:
        progress: Percent, 0 to 100.
        key: Lower-case letters, digits and dashes. Without one, the artifact is seen with its run only.
        description: In Markdown.

    Returns:
        The id of the new artifact.
    """
    return run_plan(_plan_create_id(ProgressArtifact(key=key, description=description, progress=progress)))


def _plan_update_progress(artifact_id: UUID, progress: float, description: str | None, client: Any) -> Plan[UUID]:
    fields: dict[str, Any] = {"data": _clamp(progress)}
    if description:
        fields["description"] = description
    update = ArtifactUpdate(**fields)
    if client is not None:
        yield _through(client.update_artifact, artifact_id=artifact_id, artifact=update)
    else:
        yield ask(calls.update_artifact(artifact_id, update))
        emit_event(
            "prefect.artifact.updated",
            resource={"prefect.resource.id": f"prefect.artifact.{artifact_id}"},
            payload=fields,
        )
    return artifact_id


async def aupdate_progress_artifact(
    artifact_id: UUID, progress: float, description: str | None = None, client: PrefectClient | None = None
) -> UUID:
    """Move a progress bar; see `update_progress_artifact`."""
    return await run_plan_async(_plan_update_progress(artifact_id, progress, description, client))


@async_dispatch(aupdate_progress_artifact)
def update_progress_artifact(
    artifact_id: UUID, progress: float, description: str | None = None, client: PrefectClient | None = None
) -> UUID:
    """Move a progress bar.

    Args:
        artifact_id: The artifact's id.
        progress: Percent, 0 to 100.
        description: A new description, in Markdown; without one it stays as it is.
        client: Stores it; a client of the active API by default.

    Returns:
        The artifact's id.
    """
    return run_plan(_plan_update_progress(artifact_id, progress, description, client))


async def acreate_image_artifact(image_url: str, key: str | None = None, description: str | None = None) -> UUID:
    """Create an artifact that shows an image; see `create_image_artifact`."""
    return await run_plan_async(_plan_create_id(ImageArtifact(key=key, description=description, image_url=image_url)))


@async_dispatch(acreate_image_artifact)
def create_image_artifact(image_url: str, key: str | None = None, description: str | None = None) -> UUID:
    """Create an artifact that shows an image.

    Args:
        image_url: Where the image is found.
        key: Lower-case letters, digits and dashes. Without one, the artifact is seen with its run only.
        description: In Markdown.

    Returns:
        The id of the new artifact.
    """
    return run_plan(_plan_create_id(ImageArtifact(key=key, description=description, image_url=image_url)))
