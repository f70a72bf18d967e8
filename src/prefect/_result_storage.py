"""Finds the places where results are stored, and the serializers that they are stored with."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeAlias, TypeGuard
from uuid import UUID

from prefect._compat.dispatch import async_dispatch
from prefect._plans import Pair, Plan, run_plan, run_plan_async
from prefect.blocks.core import Block
from prefect.client._send import embedded_database
from prefect.exceptions import ObjectNotFound
from prefect.filesystems import LocalFileSystem, NullFileSystem, WritableFileSystem
from prefect.serializers import PickleSerializer, Serializer
from prefect.settings import get_current_settings

ResultStorage: TypeAlias = WritableFileSystem | str | Path
ResultSerializer: TypeAlias = Serializer | str

_DEFAULT_KNOWN_FOR = 30.0
"""Seconds for which a server's default storage is remembered."""
_EMBEDDED_DEFAULT_KNOWN_FOR = 1.0
"""The same for the core in this process: every task outside of flows asks."""

_server_defaults: dict[str, tuple[float, UUID | None]] = {}
"""By the URL of an API or database, when its default storage was asked for, and what it is."""


# -- serializers -------------------------------------------------------------------------------------------------------


def get_default_result_serializer() -> Serializer[Any]:
    """The serializer that the settings name."""
    return resolve_serializer(get_current_settings().results.default_serializer)


def resolve_serializer(serializer: ResultSerializer) -> Serializer[Any]:
    """A serializer, given as such or by its type."""
    if isinstance(serializer, Serializer):
        return serializer
    if isinstance(serializer, str):
        return PickleSerializer() if serializer == "pickle" else Serializer(type=serializer)  # type: ignore[abstract,call-arg]
    raise TypeError(f"Expected a result serializer or the name of its type, not {serializer!r}.")


# -- storage -----------------------------------------------------------------------------------------------------------


async def aresolve_result_storage(result_storage: ResultStorage | UUID) -> WritableFileSystem:
    """`resolve_result_storage` for async code."""
    return await run_plan_async(plan_storage(result_storage))


@async_dispatch(aresolve_result_storage)
def resolve_result_storage(result_storage: ResultStorage | UUID) -> WritableFileSystem:
    """A storage, given as such, as a path, as the id of a saved block, or by its reference "block-type/name".

    Raises:
        ValueError: There is no such block.
        TypeError: It is none of these.
    """
    return run_plan(plan_storage(result_storage))


def plan_storage(given: Any) -> Plan[Any]:
    """Find the storage that something stands for; see `resolve_result_storage`."""
    if isinstance(given, Path):
        return LocalFileSystem(basepath=str(given))
    if isinstance(given, str):
        return (yield Pair(_load, Block.aload, given))
    if isinstance(given, UUID):
        return (yield Pair(_load_from_ref, Block.aload_from_ref, given))
    if hasattr(given, "read_path") and hasattr(given, "write_path"):
        return given
    raise TypeError(
        f"Result storage must be a storage block, its reference 'block-type/name', or a pathlib.Path, not {given!r}."
    )


def _load(reference: str) -> Any:
    return Block.load(reference, _sync=True)  # type: ignore[call-arg]


def _load_from_ref(id: UUID) -> Any:
    return Block.load_from_ref(id, _sync=True)  # type: ignore[call-arg]


def plan_key_storage(given: Any) -> Plan[Any]:
    """Find the storage of metadata that a cache policy names."""
    # A text is a block reference if it has the form of one and no such folder exists.
    if isinstance(given, str) and (given.count("/") != 1 or Path(given).is_dir() or given.startswith((".", "~", "/"))):
        given = Path(given).expanduser()
    return (yield from plan_storage(given))


async def aget_default_result_storage() -> WritableFileSystem:
    """`get_default_result_storage` for async code."""
    return await run_plan_async(plan_default_storage())


@async_dispatch(aget_default_result_storage)
def get_default_result_storage() -> WritableFileSystem:
    """Where results are stored by default: the block that the settings name, else the server's, else a local folder."""
    return run_plan(plan_default_storage())


def plan_default_storage() -> Plan[WritableFileSystem]:
    """Find the default storage; see `get_default_result_storage`."""
    chosen = yield from _plan_chosen_default()
    if chosen is not None:
        return (yield from plan_storage(chosen))
    return LocalFileSystem(basepath=str(get_current_settings().results.local_storage_path))


def chosen_default_storage() -> str | UUID | None:
    """The block that somebody chose for results, in the settings or for the whole API; None if nobody did.

    Choosing one also switches persistence on, for runs that do not decide it otherwise.
    """
    return run_plan(_plan_chosen_default())


def _plan_chosen_default() -> Plan[str | UUID | None]:
    settings = get_current_settings()
    block = settings.results.default_storage_block
    if block is not None:
        return block
    url, known_for = settings.api.url, _DEFAULT_KNOWN_FOR
    if not url:
        if not settings.server.ephemeral.enabled:
            return None
        url = embedded_database(settings)
        known_for = _EMBEDDED_DEFAULT_KNOWN_FOR
    asked, id = _server_defaults.get(url, (None, None))
    if asked is not None and time.monotonic() - asked < known_for:
        return id
    from prefect._asking import ask  # noqa: PLC0415 - kept out of modules that only read results
    from prefect.client._calls.admin import read_server_default_result_storage  # noqa: PLC0415

    try:
        id = (yield ask(read_server_default_result_storage())).default_result_storage_block_id
    except ObjectNotFound:  # an older server
        id = None
    _server_defaults[url] = (time.monotonic(), id)
    return id


async def get_or_create_default_task_scheduling_storage() -> WritableFileSystem:
    """Where the arguments of background runs are kept."""
    block = get_current_settings().tasks.scheduling.default_storage_block
    return await (aresolve_result_storage(block) if block else aget_default_result_storage())


# -- using storage -----------------------------------------------------------------------------------------------------


def is_unsaved_local(storage: Any) -> TypeGuard[LocalFileSystem]:
    """Whether a storage is a local folder that is no saved block: absolute paths say where results are in it."""
    return isinstance(storage, LocalFileSystem) and storage._block_document_id is None


def keeps_nothing(storage: Any) -> bool:
    """Whether a storage for metadata stands for none."""
    return storage is None or isinstance(storage, NullFileSystem)


def storage_name(storage: Any) -> str:
    """What a storage is called in messages."""
    return f"{type(storage).__name__}({getattr(storage, 'basepath', '') or ''})"


def reading(storage: Any, path: str) -> Pair:
    """Read a file of a storage."""
    return Pair(_call, _call_async, storage, "read_path", path)


def writing(storage: Any, path: str, content: bytes) -> Pair:
    """Write a file of a storage."""
    return Pair(_call, _call_async, storage, "write_path", path, content)


def _call(storage: Any, method: str, *args: Any) -> Any:
    """Call a storage's method, whichever of the ways to be sync or async it was written in."""
    fn = getattr(storage, method)
    if hasattr(fn, "aio"):
        return fn(*args, _sync=True)
    value = fn(*args)
    if isinstance(value, Awaitable):
        from prefect.utilities.asyncutils import run_coro_as_sync  # noqa: PLC0415 - only other packages' storages need it

        return run_coro_as_sync(value)  # type: ignore[arg-type]
    return value


async def _call_async(storage: Any, method: str, *args: Any) -> Any:
    async_form = getattr(storage, f"a{method}", None)
    if async_form is not None:
        return await async_form(*args)
    fn = getattr(storage, method)
    value = fn(*args, _sync=False) if hasattr(fn, "aio") else fn(*args)
    return await value if isinstance(value, Awaitable) else value
