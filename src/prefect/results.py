"""Results of runs: whether they are stored, where, and how they are read again."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from prefect import _current
from prefect._compat.dispatch import async_dispatch
from prefect._plans import Pair, Plan, run_plan, run_plan_async
from prefect._result_records import RecordCache, ResultRecord, ResultRecordMetadata
from prefect._result_storage import (
    ResultSerializer,
    ResultStorage,
    aget_default_result_storage,
    aresolve_result_storage,
    chosen_default_storage,
    get_default_result_serializer,
    get_default_result_storage,
    get_or_create_default_task_scheduling_storage,
    is_unsaved_local,
    keeps_nothing,
    plan_default_storage,
    plan_key_storage,
    plan_storage,
    reading,
    resolve_result_storage,
    resolve_serializer,
    storage_name,
    writing,
)
from prefect._version import __version__
from prefect.exceptions import ConfigurationError, MissingResult, SerializationError
from prefect.filesystems import LocalFileSystem, NullFileSystem, WritableFileSystem
from prefect.serializers import Serializer
from prefect.settings import get_current_settings
from prefect.utilities.annotations import NotSet

if TYPE_CHECKING:
    from prefect.locking.protocol import LockManager

__all__ = [
    "DEFAULT_STORAGE_KEY_FN",
    "LITERAL_TYPES",
    "ResultRecord",
    "ResultRecordMetadata",
    "ResultSerializer",
    "ResultStorage",
    "ResultStore",
    "aget_default_result_storage",
    "aresolve_result_storage",
    "default_cache",
    "get_default_persist_setting",
    "get_default_persist_setting_for_tasks",
    "get_default_result_serializer",
    "get_default_result_storage",
    "get_or_create_default_task_scheduling_storage",
    "get_result_store",
    "resolve_result_storage",
    "resolve_serializer",
    "result_storage_discriminator",
    "should_persist_result",
]

_MOST_DERIVED = 256
"""Of so many tasks and flows with result options of their own, a store remembers the stores."""

LITERAL_TYPES: set[type | None] = {type(None), bool, UUID}
"""Types of which some versions stored the values in the API itself."""


def DEFAULT_STORAGE_KEY_FN() -> str:
    """A random key."""
    return uuid4().hex


# -- decisions -------------------------------------------------------------------------------------------------------


def get_default_persist_setting() -> bool:
    """Whether flows store their results unless they say otherwise."""
    return get_current_settings().results.persist_by_default


def get_default_persist_setting_for_tasks() -> bool:
    """Whether tasks store their results unless they say otherwise."""
    settings = get_current_settings()
    own = settings.tasks.default_persist_result
    return settings.results.persist_by_default if own is None else own


def should_persist_result() -> bool:
    """Whether the current run stores its result."""
    context = _current.task_run_context.get() or _current.flow_run_context.get()
    return get_default_persist_setting() if context is None else context.persist_result


def result_storage_discriminator(x: Any) -> str:
    """Which kind of storage something is, or is the data of: "WritableFileSystem", "NullFileSystem" or "None"."""
    if isinstance(x, dict):
        return "WritableFileSystem" if "block_type_slug" in x else "NullFileSystem"
    if isinstance(x, WritableFileSystem):
        return "WritableFileSystem"
    return "NullFileSystem" if isinstance(x, NullFileSystem) else "None"


# -- the store -------------------------------------------------------------------------------------------------------


def default_cache() -> RecordCache:
    """A cache for 1,000 records."""
    return RecordCache()


class ResultStore:
    """Reads and writes results.

    Args:
        result_storage: Where results are; default: `get_default_result_storage()`, found when it is first needed.
        metadata_storage: Where metadata is, if apart from the results.
        lock_manager: What locks keys.
        cache_result_in_memory: Keep records in memory.
        serializer: What turns results into bytes.
        storage_key_fn: Makes keys for results that have none.
    """

    def __init__(
        self,
        result_storage: Any = None,
        metadata_storage: Any = None,
        lock_manager: LockManager | None = None,
        cache_result_in_memory: bool = True,
        serializer: Serializer[Any] | None = None,
        storage_key_fn: Callable[[], str] = DEFAULT_STORAGE_KEY_FN,
        cache: RecordCache | None = None,
    ) -> None:
        self._given_storage = result_storage
        self.metadata_storage = metadata_storage
        self.lock_manager = lock_manager
        self.cache_result_in_memory = cache_result_in_memory
        self._given_serializer = serializer
        self.storage_key_fn = storage_key_fn
        self.cache = default_cache() if cache is None else cache
        self._derived: dict[tuple[Any, ...], ResultStore] = {}
        self._options: tuple[Any, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_derived": {}}

    @property
    def serializer(self) -> Serializer[Any]:
        """What turns results into bytes."""
        if self._given_serializer is None:
            self._given_serializer = get_default_result_serializer()
        return self._given_serializer

    @property
    def result_storage(self) -> Any:
        """Where results are."""
        if self._given_storage is None:
            self._given_storage = get_default_result_storage(_sync=True)
        return self._given_storage

    @property
    def result_storage_block_id(self) -> UUID | None:
        """The id of the storage, if it is a saved block."""
        return getattr(self.result_storage, "_block_document_id", None)

    # -- for runs ------------------------------------------------------------------------------------------------

    async def aupdate_for_flow(self, flow: Any) -> ResultStore:
        """`update_for_flow` for async code."""
        return await run_plan_async(self._update_plan(flow, None))

    @async_dispatch(aupdate_for_flow)
    def update_for_flow(self, flow: Any) -> ResultStore:
        """The store for a flow's results: this one, or one with the flow's own options."""
        return run_plan(self._update_plan(flow, None))

    async def aupdate_for_task(self, task: Any) -> ResultStore:
        """`update_for_task` for async code."""
        return self if self._serves(task) else await run_plan_async(self._update_plan(task, task.cache_policy))

    @async_dispatch(aupdate_for_task)
    def update_for_task(self, task: Any) -> ResultStore:
        """The store for a task's results: this one, or one with the task's own options."""
        return self if self._serves(task) else run_plan(self._update_plan(task, task.cache_policy))

    def _serves(self, task: Any) -> bool:
        policy = task.cache_policy
        return (
            task.result_storage is None
            and task.result_serializer is None
            and task.cache_result_in_memory == self.cache_result_in_memory
            and (policy is None or (policy.key_storage is None and policy.lock_manager is None))
        )

    def _update_plan(self, owner: Any, policy: Any) -> Plan[ResultStore]:
        key_storage, lock_manager = None, self.lock_manager
        if policy is not None:
            key_storage = None if policy.key_storage is NotSet else policy.key_storage
            lock_manager = policy.lock_manager or lock_manager
        given = (owner.result_storage, owner.result_serializer, key_storage, lock_manager, owner.cache_result_in_memory)
        options = tuple(_identity(option) for option in given)
        # Each run of a task asks; the block of its storage is loaded once.
        derived = self._derived.get(options)
        if derived is None:
            derived = yield from self._derive_plan(*given)
            if len(self._derived) >= _MOST_DERIVED:
                self._derived.clear()
            # The options are kept as long as their identities stand for them.
            derived._options = given
            self._derived[options] = derived
        return derived

    def _derive_plan(
        self, storage: Any, serializer: Any, key_storage: Any, lock_manager: LockManager | None, in_memory: bool
    ) -> Plan[ResultStore]:
        own_storage = self._given_storage if storage is None else (yield from plan_storage(storage))
        metadata_storage = self.metadata_storage if key_storage is None else (yield from plan_key_storage(key_storage))
        same_place = own_storage is self._given_storage and metadata_storage is self.metadata_storage
        return ResultStore(
            own_storage,
            metadata_storage,
            lock_manager,
            in_memory,
            self._given_serializer if serializer is None else resolve_serializer(serializer),
            self.storage_key_fn,
            # Records of another storage must not be served under the same key.
            self.cache if same_place else None,
        )

    # -- records -------------------------------------------------------------------------------------------------

    def create_result_record(
        self, obj: Any, key: str | None = None, expiration: datetime | None = None
    ) -> ResultRecord[Any]:
        """Make the record of a result; nothing is written or serialised."""
        key = key or self.storage_key_fn()
        storage = self._given_storage
        block_id = getattr(storage, "_block_document_id", None)
        return ResultRecord(
            ResultRecordMetadata.model_construct(
                storage_key=self._recorded_key(key),
                expiration=expiration,
                serializer=self.serializer,
                storage_block_id=block_id,
                prefect_version=__version__,
            ),
            obj,
        )

    def _recorded_key(self, key: str) -> str:
        """Local storage that is no saved block is named by its absolute path, so that anyone here can read it."""
        storage = self._given_storage
        if storage is None:
            settings = get_current_settings()
            if settings.results.default_storage_block is None and not settings.api.url:
                return os.path.join(settings.results.local_storage_path, key)  # noqa: PTH118 - text in, text out, and often
            storage = self.result_storage
        return storage._absolute(key) if is_unsaved_local(storage) else key

    def _plan_storage(self) -> Plan[Any]:
        """Find the storage, waiting in the way in which the caller can."""
        if self._given_storage is None:
            self._given_storage = yield from plan_default_storage()
        return self._given_storage

    def read(self, key: str, holder: str | None = None) -> ResultRecord[Any]:
        """Read a record.

        Raises:
            MissingResult: There is none under the key.
            SerializationError: It cannot be decoded: it is damaged, or of a class that is not here.
        """
        return run_plan(self._read_plan(key, holder))

    async def aread(self, key: str, holder: str | None = None) -> ResultRecord[Any]:
        """`read` for async code."""
        return await run_plan_async(self._read_plan(key, holder))

    def _read_plan(self, key: str, holder: str | None) -> Plan[ResultRecord[Any]]:
        if self.lock_manager is not None and not self.lock_manager.is_lock_holder(
            key, holder or self.generate_default_holder()
        ):
            yield Pair(self.lock_manager.wait_for_lock, self.lock_manager.await_for_lock, key)
        storage = yield from self._plan_storage()
        path = self._recorded_key(key)
        if self.cache_result_in_memory:
            cached = self.cache.get(path)
            if cached is not None:
                return cached
        try:
            record = yield from self._load_plan(key)
        except (ValueError, OSError) as error:
            raise MissingResult(
                f"There is no readable result under the key {path!r} in {storage_name(storage)}: {error} "
                "It was deleted, or it is in the storage of another machine. Set result_storage to a place that all machines "
                "can reach, or run again."
            ) from error
        if self.cache_result_in_memory:
            self.cache.put(path, record)
        return record

    def _load_plan(self, key: str) -> Plan[ResultRecord[Any]]:
        storage = yield from self._plan_storage()
        if not keeps_nothing(self.metadata_storage):
            metadata = ResultRecordMetadata.load_bytes(_present((yield reading(self.metadata_storage, key))))
            content = _present((yield reading(storage, metadata.storage_key or key)))
            return self._decoded(key, partial(ResultRecord.deserialize_from_result_and_metadata, content, metadata))
        content = _present((yield reading(storage, self._recorded_key(key))))
        return self._decoded(key, partial(ResultRecord.deserialize, content, backup_serializer=self.serializer))

    def _decoded(self, key: str, decode: Callable[[], ResultRecord[Any]]) -> ResultRecord[Any]:
        try:
            return decode()
        except Exception as error:
            raise SerializationError(
                f"The result under the key {self._recorded_key(key)!r} cannot be decoded: {type(error).__name__}: {error}. "
                "The file is damaged, or was written by code that is not here. Delete it, or run again with "
                "refresh_cache=True."
            ) from error

    def write(
        self, obj: Any, key: str | None = None, expiration: datetime | None = None, holder: str | None = None
    ) -> None:
        """Store a result."""
        run_plan(self._write_plan(self.create_result_record(obj, key, expiration), holder))

    async def awrite(
        self, obj: Any, key: str | None = None, expiration: datetime | None = None, holder: str | None = None
    ) -> None:
        """`write` for async code."""
        await run_plan_async(self._write_plan(self.create_result_record(obj, key, expiration), holder))

    def persist_result_record(self, result_record: ResultRecord[Any], holder: str | None = None) -> None:
        """Store a record.

        Raises:
            SerializationError: The result cannot be serialised.
            RuntimeError: Somebody else holds the lock of its key.
        """
        run_plan(self._write_plan(result_record, holder))

    async def apersist_result_record(self, result_record: ResultRecord[Any], holder: str | None = None) -> None:
        """`persist_result_record` for async code."""
        await run_plan_async(self._write_plan(result_record, holder))

    def _write_plan(self, record: ResultRecord[Any], holder: str | None) -> Plan[None]:
        key = record.metadata.storage_key
        if key is None:
            raise ValueError(
                "This result record has no storage key. Make records with ResultStore.create_result_record()."
            )
        storage = yield from self._plan_storage()
        # Locks and metadata are kept under the key that the result was asked for with.
        base_key = os.path.relpath(key, storage._absolute("")) if is_unsaved_local(storage) else key
        lock = self.lock_manager
        if (
            lock is not None
            and lock.is_locked(base_key)
            and not lock.is_lock_holder(base_key, holder or self.generate_default_holder())
        ):
            raise RuntimeError(f"Cannot write the result under the key {base_key!r}: another holder has locked it.")
        if keeps_nothing(self.metadata_storage):
            yield writing(storage, key, record.serialize())
        else:
            yield writing(storage, key, record.serialize_result())
            yield writing(self.metadata_storage, base_key, record.serialize_metadata())
        record.mark_persisted()
        if self.cache_result_in_memory:
            self.cache.put(key, record)

    def exists(self, key: str) -> bool:
        """Whether an unexpired record is stored under the key."""
        return run_plan(self._exists_plan(key))

    async def aexists(self, key: str) -> bool:
        """`exists` for async code."""
        return await run_plan_async(self._exists_plan(key))

    def _exists_plan(self, key: str) -> Plan[bool]:
        yield from self._plan_storage()
        path = self._recorded_key(key)
        if self.cache_result_in_memory:
            cached = self.cache.get(path)
            if cached is not None:
                if not cached.is_expired:
                    return True
                self.cache.drop(path)
        if self._is_surely_missing(path):
            return False
        try:
            record = yield from self._load_plan(key)
        except Exception:  # noqa: BLE001 - each storage has errors of its own for what is not there, or cannot be read
            return False
        if record.is_expired:
            return False
        if self.cache_result_in_memory:
            self.cache.put(path, record)
        return True

    def _is_surely_missing(self, path: str) -> bool:
        """Whether one look at the disk tells that there is nothing: the common case, asked for by every cached task."""
        is_here = os.path.isabs(path) and keeps_nothing(self.metadata_storage)  # noqa: PTH117
        return is_here and not os.path.exists(path)  # noqa: PTH110

    # -- locks ---------------------------------------------------------------------------------------------------

    def supports_isolation_level(self, level: Any) -> bool:
        """Whether transactions on this store can have an isolation level."""
        name = getattr(level, "name", level)
        if name == "READ_COMMITTED":
            return True
        if name == "SERIALIZABLE":
            return self.lock_manager is not None
        raise ValueError(f"Unsupported isolation level: {level!r}. Use READ_COMMITTED or SERIALIZABLE.")

    @staticmethod
    def generate_default_holder() -> str:
        """Who holds a lock: this thread of this process, in this run."""
        run = _current.task_run_id() or _current.flow_run_id() or ""
        return f"{os.getpid()}:{threading.get_ident()}:{run}"

    def _lock_manager_or_fail(self) -> LockManager:
        if self.lock_manager is None:
            raise ConfigurationError("This result store has no lock manager. Give it one: ResultStore(lock_manager=…).")
        return self.lock_manager

    def acquire_lock(self, key: str, holder: str | None = None, timeout: float | None = None) -> bool:
        """Lock a key; False when `timeout` seconds were not enough."""
        return self._lock_manager_or_fail().acquire_lock(key, holder or self.generate_default_holder(), timeout)

    async def aacquire_lock(self, key: str, holder: str | None = None, timeout: float | None = None) -> bool:
        """`acquire_lock` for async code."""
        return await self._lock_manager_or_fail().aacquire_lock(key, holder or self.generate_default_holder(), timeout)

    def release_lock(self, key: str | None, holder: str | None = None) -> None:
        """Unlock a key."""
        assert key is not None
        self._lock_manager_or_fail().release_lock(key, holder or self.generate_default_holder())

    def is_locked(self, key: str) -> bool:
        """Whether a key is locked."""
        return self._lock_manager_or_fail().is_locked(key)

    def is_lock_holder(self, key: str, holder: str | None = None) -> bool:
        """Whether this holder has locked a key."""
        return self._lock_manager_or_fail().is_lock_holder(key, holder or self.generate_default_holder())

    def wait_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """Wait until a key is free; False when `timeout` seconds were not enough."""
        return self._lock_manager_or_fail().wait_for_lock(key, timeout)

    async def await_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """`wait_for_lock` for async code."""
        return await self._lock_manager_or_fail().await_for_lock(key, timeout)


def _present(content: bytes | None) -> bytes:
    """What a storage gave; some give None for what they do not have."""
    if content is None:
        raise ValueError("Nothing is stored there.")
    return content


def _identity(option: Any) -> Any:
    return option if isinstance(option, (str, Path, UUID, bool, type(None))) else id(option)


# -- stores and records of runs ----------------------------------------------------------------------------------------

_default: tuple[tuple[Any, Any], ResultStore] | None = None


def get_result_store() -> ResultStore:
    """The store of the current run, or the default one."""
    global _default
    context = _current.task_run_context.get() or _current.flow_run_context.get()
    if context is not None and context.result_store is not None:
        return context.result_store
    made_for = (get_current_settings(), chosen_default_storage())
    if _default is None or _default[0][0] is not made_for[0] or _default[0][1] != made_for[1]:
        _default = (made_for, ResultStore())
    return _default[1]


def _record_plan(metadata: Any) -> Plan[ResultRecord[Any]]:
    if isinstance(metadata, dict):
        metadata = ResultRecordMetadata.model_validate(metadata)
    key = metadata.storage_key
    if key is None:
        raise MissingResult(f"The metadata of the result has no storage key, so it cannot be read: {metadata!r}.")
    if metadata.storage_block_id is not None:
        storage = yield from plan_storage(metadata.storage_block_id)
    else:
        # An absolute path is read in place, also outside of the default folder.
        folder = Path(key).parent if os.path.isabs(key) else get_current_settings().results.local_storage_path  # noqa: PTH117
        storage = LocalFileSystem(basepath=str(folder))
    store = ResultStore(result_storage=storage, serializer=metadata.serializer)
    return (yield from store._read_plan(key, None))


def read_result_record(metadata: Any) -> ResultRecord[Any]:
    """Read the result that a state's data points to."""
    return run_plan(_record_plan(metadata))


async def aread_result_record(metadata: Any) -> ResultRecord[Any]:
    """`read_result_record` for async code."""
    return await run_plan_async(_record_plan(metadata))
