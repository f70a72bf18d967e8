"""Transactions: results that are written together or not at all, with hooks for what to do then.

Every task attempt runs in one. The decisions stand once, as plans; `Transaction` and `AsyncTransaction` perform them.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar, Token
from functools import partial
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from prefect._plans import Pair, Plan, run_plan, run_plan_async
from prefect._state_values import is_result_record
from prefect.exceptions import ConfigurationError, SerializationError
from prefect.logging.loggers import get_logger
from prefect.utilities.annotations import NotSet
from prefect.utilities.collections import AutoEnum

if TYPE_CHECKING:
    from prefect.results import ResultStore


class IsolationLevel(AutoEnum):
    """How transactions on one key get along with one another."""

    READ_COMMITTED = AutoEnum.auto()
    SERIALIZABLE = AutoEnum.auto()


class CommitMode(AutoEnum):
    """When a transaction commits: at its own end, at the end of the outermost one, or when it is told to."""

    EAGER = AutoEnum.auto()
    LAZY = AutoEnum.auto()
    OFF = AutoEnum.auto()


class TransactionState(AutoEnum):
    """How far a transaction has got."""

    PENDING = AutoEnum.auto()
    ACTIVE = AutoEnum.auto()
    STAGED = AutoEnum.auto()
    COMMITTED = AutoEnum.auto()
    ROLLED_BACK = AutoEnum.auto()


Hook = Callable[[Any], Any]

_active: ContextVar[BaseTransaction | None] = ContextVar("prefect_transaction", default=None)
_PENDING, _ACTIVE = TransactionState.PENDING, TransactionState.ACTIVE
_ENDED = (TransactionState.COMMITTED, TransactionState.ROLLED_BACK)


class BaseTransaction:
    """What sync and async transactions share.

    Args:
        key: The key of the result; None when nothing is to be written.
        store: Where results are written.
        commit_mode: Default: the parent's, else LAZY.
        isolation_level: Default: the parent's, else READ_COMMITTED.
        overwrite: Do not take a stored result for this transaction's.
        write_on_commit: Write the staged result when the transaction commits.
        logger: What hooks and failures are logged to.
    """

    __slots__ = (
        "_detached", "_holder", "_logger", "_staged", "_token", "_values", "children", "commit_mode", "failure",
        "isolation_level", "key", "on_commit_hooks", "on_rollback_hooks", "overwrite", "parent", "state", "store",
        "write_on_commit",
    )  # fmt: skip

    def __init__(
        self,
        key: str | None = None,
        store: ResultStore | None = None,
        commit_mode: CommitMode | None = None,
        isolation_level: IsolationLevel | None = None,
        overwrite: bool = False,
        write_on_commit: bool = True,
        logger: Any = None,
    ) -> None:
        self.key = key
        self.store = store
        self.commit_mode = commit_mode
        self.isolation_level = isolation_level
        self.overwrite = overwrite
        self.write_on_commit = write_on_commit
        self.state = _PENDING
        self.children: list[BaseTransaction] = []
        self.failure: Exception | None = None  # why it could not be committed
        self.parent: BaseTransaction | None = None
        self.on_commit_hooks: list[Hook] = []
        self.on_rollback_hooks: list[Hook] = []
        self._values: dict[str, Any] | None = None
        self._staged: Any = NotSet
        self._token: Token[Any] | None = None
        self._logger = logger
        self._holder: str | None = None
        self._detached = False

    @classmethod
    def for_task(cls, **options: Any) -> Self:
        """The transaction of a task's attempt. `logger` may be anything that has a `.logger`, made when it is needed."""
        return cls(**options)

    @classmethod
    def get_active(cls) -> BaseTransaction | None:
        """The innermost transaction here, or None."""
        return _active.get()

    @property
    def logger(self) -> logging.Logger | logging.LoggerAdapter[Any]:
        """What hooks and failures are logged to."""
        if self._logger is None:
            return get_logger("transactions")
        return getattr(self._logger, "logger", self._logger) if not hasattr(self._logger, "log") else self._logger

    # -- looking -------------------------------------------------------------------------------------------------

    def is_pending(self) -> bool:
        """Whether it has not begun."""
        return self.state is _PENDING

    def is_active(self) -> bool:
        """Whether it has begun and nothing is staged."""
        return self.state is _ACTIVE

    def is_staged(self) -> bool:
        """Whether a result is staged."""
        return self.state is TransactionState.STAGED

    def is_committed(self) -> bool:
        """Whether it is committed, also because a stored result was found when it began."""
        return self.state is TransactionState.COMMITTED

    def is_rolled_back(self) -> bool:
        """Whether it was rolled back."""
        return self.state is TransactionState.ROLLED_BACK

    def get_parent(self) -> BaseTransaction | None:
        """The transaction around this one, or None."""
        return self.parent

    def get(self, name: str, default: Any = NotSet) -> Any:
        """A copy of a value set on this transaction or one around it.

        Raises:
            ValueError: Nobody set it, and there is no default.
        """
        transaction: BaseTransaction | None = self
        while transaction is not None:
            if transaction._values is not None and name in transaction._values:
                return copy.deepcopy(transaction._values[name])
            transaction = transaction.parent
        if default is NotSet:
            raise ValueError(
                f"Could not retrieve value for unknown key: {name!r}. Set it with transaction.set(), or give a default."
            )
        return default

    def set(self, name: str, value: Any) -> None:
        """Keep a value for the hooks of this transaction and those inside it."""
        if self._values is None:
            self._values = {}
        self._values[name] = value

    # -- changing ------------------------------------------------------------------------------------------------

    def stage(
        self, value: Any, on_rollback_hooks: list[Hook] | None = None, on_commit_hooks: list[Hook] | None = None
    ) -> None:
        """Set what is written when the transaction commits, and what runs then or on rollback."""
        if self.state in _ENDED:
            return
        self._staged = value
        self.on_commit_hooks += on_commit_hooks or ()
        self.on_rollback_hooks += on_rollback_hooks or ()
        self.state = TransactionState.STAGED

    def add_child(self, transaction: BaseTransaction) -> None:
        """Let another transaction end with this one."""
        self.children.append(transaction)

    def detach(self) -> None:
        """Let this transaction's end not concern its parent: another attempt follows."""
        self._detached = True
        if self.parent is not None and self in self.parent.children:
            self.parent.children.remove(self)

    def prepare_transaction(self) -> None:
        """Take over what is not given from the transaction around this one."""
        parent = _active.get()
        if parent is not None and parent.state in _ENDED:
            parent = None  # it ended while what was submitted in it still ran
        self.parent = parent
        if self.commit_mode is None:
            self.commit_mode = parent.commit_mode if parent is not None else CommitMode.LAZY
        elif not isinstance(self.commit_mode, CommitMode):
            raise TypeError(f"Invalid commit_mode={self.commit_mode!r}: expected CommitMode.EAGER, LAZY or OFF.")
        if self.isolation_level is None:
            self.isolation_level = parent.isolation_level if parent is not None else IsolationLevel.READ_COMMITTED
        elif isinstance(self.isolation_level, str):
            self.isolation_level = IsolationLevel(self.isolation_level)
        if self.isolation_level is IsolationLevel.SERIALIZABLE and self.key and not self._can_lock():
            raise ConfigurationError(
                f"The transaction on {self.key!r} asks for isolation level SERIALIZABLE, which needs a lock manager. Give the "
                "result store one (ResultStore(lock_manager=…)), or the cache policy: policy.configure(lock_manager=…)."
            )

    def _can_lock(self) -> bool:
        return self.store is not None and self.store.supports_isolation_level(self.isolation_level)

    def _enter(self) -> None:
        if self._token is not None or self.state is not _PENDING:
            raise RuntimeError("This transaction was entered already. Open a new one.")
        self.prepare_transaction()
        if self.parent is not None:
            self.parent.add_child(self)
        self._token = _active.set(self)

    def _leave(self) -> None:
        if self._token is not None:
            _active.reset(self._token)
            self._token = None
        if self.parent is not None:
            self.parent._note_completion(self)

    def _note_completion(self, child: BaseTransaction) -> None:
        # Children commit in the order in which they completed. One that runs alone is the last one already.
        if self.children and self.children[-1] is not child and child in self.children:
            self.children.remove(child)
            self.children.append(child)

    # -- the plans -----------------------------------------------------------------------------------------------

    def _begin_plan(self) -> Plan[None]:
        store, key = self.store, self.key
        if key is not None and store is not None:
            if self.isolation_level is IsolationLevel.SERIALIZABLE:
                self._holder = store.generate_default_holder()
                yield Pair(store.acquire_lock, store.aacquire_lock, key, self._holder)
            if not self.overwrite and (yield Pair(store.exists, store.aexists, key)):
                self.state = TransactionState.COMMITTED
                yield from self._unlock_plan()
                return
        self.state = _ACTIVE

    def _unlock_plan(self) -> Plan[None]:
        if self._holder is not None and self.store is not None:
            holder, self._holder = self._holder, None
            self.store.release_lock(self.key, holder)
        return
        yield

    def _end_plan(self, error: BaseException | None) -> Plan[None]:
        if error is not None:
            yield from self._rollback_plan()
        elif self.commit_mode is CommitMode.EAGER or (self.commit_mode is CommitMode.LAZY and self.parent is None):
            yield from self._commit_plan()
        elif self.commit_mode is CommitMode.OFF and self.parent is None:
            yield from self._rollback_plan()

    def _has_nothing_to_commit(self) -> bool:
        """Most tasks run in a transaction that nothing uses: a plan for ending it would cost more than all the rest."""
        return (
            self.state is _ACTIVE
            and self.commit_mode is CommitMode.LAZY
            and not (self.children or self.on_commit_hooks or self._holder)
        )

    def _commit_plan(self) -> Plan[bool]:
        if self.state in _ENDED:
            if self.state is TransactionState.COMMITTED:
                yield from self._unlock_plan()
            return False
        try:
            for child in self.children:
                yield from child._commit_plan()
                if self.state in _ENDED:  # the child failed to commit, which rolled this one back
                    return False
            for hook in self.on_commit_hooks:
                yield from self._hook_plan(hook, "commit")
            yield from self._write_plan()
        except SerializationError as error:
            self.failure = error
            self.logger.warning(
                "The result under key %r could not be serialised, so it is not stored: %s", self.key, error
            )
            yield from self._rollback_plan()
            return False
        except Exception as error:
            self.failure = error
            # A commit must not break the run whose work is done; what it staged is taken back instead.
            self.logger.exception("An error was encountered while committing transaction %r", self.key)
            yield from self._rollback_plan()
            return False
        self.state = TransactionState.COMMITTED
        yield from self._unlock_plan()
        return True

    def _write_plan(self) -> Plan[None]:
        store = self.store
        if self.key is None or store is None or not self.write_on_commit:
            return
        value = None if self._staged is NotSet else self._staged
        if is_result_record(value):
            write = partial(store.persist_result_record, holder=self._holder)
            awrite = partial(store.apersist_result_record, holder=self._holder)
            yield Pair(write, awrite, value)
        else:
            write = partial(store.write, key=self.key, holder=self._holder)
            awrite = partial(store.awrite, key=self.key, holder=self._holder)
            yield Pair(write, awrite, value)

    def _rollback_plan(self) -> Plan[bool]:
        if self.state in _ENDED:
            return False
        try:
            for hook in reversed(self.on_rollback_hooks):
                yield from self._hook_plan(hook, "rollback")
            self.state = TransactionState.ROLLED_BACK
            for child in reversed(self.children):
                yield from child._rollback_plan()
            return True
        except Exception:
            self.logger.exception("An error was encountered while rolling back transaction %r", self.key)
            return False
        finally:
            self.state = TransactionState.ROLLED_BACK
            yield from self._unlock_plan()
            if self.parent is not None and not self._detached:
                yield from self.parent._rollback_plan()

    def _hook_plan(self, hook: Hook, kind: str) -> Plan[None]:
        name = getattr(hook, "__name__", None) or getattr(getattr(hook, "func", None), "__name__", type(hook).__name__)
        should_log = not getattr(hook, "quiet", False)
        if should_log:
            self.logger.info("Running %s hook %r", kind, name)
        yield Pair(_run_hook, _run_hook_async, hook, self)
        if should_log:
            self.logger.info("%s hook %r finished running successfully", kind.capitalize(), name)


def _run_hook(hook: Hook, transaction: BaseTransaction) -> None:
    from prefect.utilities.asyncutils import run_coro_as_sync  # noqa: PLC0415 - hooks are rare, and async ones rarer

    made = hook(transaction)
    if hasattr(made, "__await__"):
        run_coro_as_sync(made)


async def _run_hook_async(hook: Hook, transaction: BaseTransaction) -> None:
    import asyncio  # noqa: PLC0415 - loaded already wherever this runs
    import inspect  # noqa: PLC0415

    if inspect.iscoroutinefunction(hook):
        await hook(transaction)
        return
    made = await asyncio.to_thread(hook, transaction)
    if inspect.isawaitable(made):
        await made


class Transaction(BaseTransaction):
    """A transaction for sync code."""

    __slots__ = ()

    def __enter__(self) -> Self:
        self._enter()
        if self.key is None:
            self.state = _ACTIVE
            return self
        try:
            self.begin()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        try:
            if error is None and self.key is None and self.parent is None and self._has_nothing_to_commit():
                self.state = TransactionState.COMMITTED
            elif error is not None or self.parent is None or self.commit_mode is not CommitMode.LAZY:
                run_plan(self._end_plan(error))
        finally:
            self._leave()

    def begin(self) -> None:
        """Take the lock if there is one, and look whether the result is stored already."""
        run_plan(self._begin_plan())

    def read(self) -> Any:
        """The stored result record of the key."""
        return self.store.read(self.key) if self.store is not None and self.key is not None else None

    def commit(self) -> bool:
        """Commit now, what is inside first. Returns whether it was committed by this call."""
        return run_plan(self._commit_plan())

    def rollback(self) -> bool:
        """Roll back now, with what is inside and around. Returns whether it was rolled back by this call."""
        return run_plan(self._rollback_plan())

    def reset(self) -> None:
        """Stop being the innermost transaction."""
        self._leave()

    def run_hook(self, hook: Hook, hook_type: str) -> None:
        """Run one hook, logged."""
        run_plan(self._hook_plan(hook, hook_type))


class AsyncTransaction(BaseTransaction):
    """A transaction for async code."""

    __slots__ = ()

    def __enter__(self) -> Self:
        raise TypeError("This transaction is for async code: write `async with`, or use transaction() in sync code.")

    def __exit__(self, *_: object) -> None:
        raise TypeError("This transaction is for async code: write `async with`.")

    async def __aenter__(self) -> Self:
        self._enter()
        if self.key is None:
            self.state = _ACTIVE
            return self
        try:
            await self.begin()
        except BaseException:
            self._leave()
            raise
        return self

    async def __aexit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        try:
            if error is not None or self.parent is None or self.commit_mode is not CommitMode.LAZY:
                await run_plan_async(self._end_plan(error))
        finally:
            self._leave()

    async def begin(self) -> None:
        """Take the lock if there is one, and look whether the result is stored already."""
        await run_plan_async(self._begin_plan())

    async def read(self) -> Any:
        """The stored result record of the key."""
        return await self.store.aread(self.key) if self.store is not None and self.key is not None else None

    async def commit(self) -> bool:
        """Commit now, what is inside first. Returns whether it was committed by this call."""
        return await run_plan_async(self._commit_plan())

    async def rollback(self) -> bool:
        """Roll back now, with what is inside and around. Returns whether it was rolled back by this call."""
        return await run_plan_async(self._rollback_plan())

    async def reset(self) -> None:
        """Stop being the innermost transaction."""
        self._leave()

    async def run_hook(self, hook: Hook, hook_type: str) -> None:
        """Run one hook, logged."""
        await run_plan_async(self._hook_plan(hook, hook_type))


def get_transaction() -> BaseTransaction | None:
    """The innermost transaction here, or None."""
    return _active.get()


def _store_for(key: str | None, store: ResultStore | None) -> ResultStore | None:
    if key is not None and store is None:
        from prefect.results import get_result_store  # noqa: PLC0415 - results stand beside this module and import it

        return get_result_store()
    return store


@contextmanager
def transaction(
    key: str | None = None,
    store: ResultStore | None = None,
    commit_mode: CommitMode | None = None,
    isolation_level: IsolationLevel | None = None,
    overwrite: bool = False,
    write_on_commit: bool = True,
    logger: Any = None,
) -> Generator[Transaction, None, None]:
    """Group what happens in this block: results and tasks in it are committed together, or rolled back.

    Args: see `BaseTransaction`. With a key and no store, the store of the surrounding run is used.

    Raises:
        ConfigurationError: SERIALIZABLE isolation was asked for without a lock manager.
    """
    with Transaction(
        key, _store_for(key, store), commit_mode, isolation_level, overwrite, write_on_commit, logger
    ) as txn:
        yield txn


@asynccontextmanager
async def atransaction(
    key: str | None = None,
    store: ResultStore | None = None,
    commit_mode: CommitMode | None = None,
    isolation_level: IsolationLevel | None = None,
    overwrite: bool = False,
    write_on_commit: bool = True,
    logger: Any = None,
) -> AsyncGenerator[AsyncTransaction, None]:
    """`transaction` for async code."""
    async with AsyncTransaction(
        key, _store_for(key, store), commit_mode, isolation_level, overwrite, write_on_commit, logger
    ) as txn:
        yield txn
