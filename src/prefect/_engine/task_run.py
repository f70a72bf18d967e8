"""The life of one task run: decided here, recorded as it goes, waited for by a driver."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from prefect import _current
from prefect._engine import slots, tracing
from prefect._engine.assets import track_assets
from prefect._engine.effects import Body, BodyStopped, Call, ClosedEarly, Iterate, Wait
from prefect._engine.hooks import hook_calls
from prefect._engine.inputs import NotReady, Scan, as_inputs, check_upstreams, resolve, scan, upstreams
from prefect._engine.names import run_name_from, storage_key_from
from prefect._engine.retries import retry_delay
from prefect._engine.task_book import TaskBook, record_from_model
from prefect._engine.tracebacks import trim
from prefect._engine.values import materialise, returned_state
from prefect._plans import Plan, Sleep
from prefect._recorder import StateRecord
from prefect._state_values import crashed_state, format_exception
from prefect.client.schemas.objects import State, StateType, TaskRun
from prefect.context import FlowRunContext, TaskRunContext
from prefect.exceptions import Abort, CrashedRun, Pause, UnfinishedRun, UpstreamTaskError
from prefect.logging.configuration import ensure_logging_setup
from prefect.logging.handlers import record_unseen
from prefect.logging.loggers import patch_print
from prefect.results import chosen_default_storage, get_result_store
from prefect.settings import get_current_settings
from prefect.transactions import AsyncTransaction, Transaction


class TaskRunTimeoutError(TimeoutError):
    """A task run exceeded its timeout."""


class TaskExecution(TaskBook):
    """One task run in this process: its record, its arguments, and what came of it."""

    __slots__ = (
        "_context",
        "_lease",
        "_txn",
        "asset_metadata",
        "is_async",
        "parameters",
        "persist",
        "raised",
        "returned_state",
        "scan",
        "value",
        "wait_for",
    )

    def __init__(
        self,
        task: Any,
        parameters: dict[str, Any],
        wait_for: Iterable[Any] | None = None,
        *,
        run_id: UUID | None = None,
        task_run: TaskRun | None = None,
        dependencies: Mapping[str, Any] | None = None,
    ) -> None:
        """Create a task run in the present contexts. It enters its first state when its plan starts.

        Args:
            task: The task (its options are read, its decorator is not known here).
            parameters: The bound arguments; futures and states in them are resolved by the plan.
            wait_for: Futures and states that must complete first.
            run_id: The id to use; a new one by default.
            task_run: A run that exists already (a background run).
            dependencies: Inputs collected elsewhere, in place of those found in `parameters`.
        """
        flow_context = FlowRunContext.get()
        parent = TaskRunContext.get()
        if parent is not None and flow_context is not None:
            assert flow_context.flow_run is not None
            if parent.record.flow_run_id != flow_context.flow_run.id:
                parent = None  # a task called the flow that this task belongs to
        super().__init__(task, flow_context, parent)
        self.parameters = parameters
        self.wait_for = None if wait_for is None else upstreams(wait_for)
        self.is_async = task.isasync
        self.scan: Scan | None = scan(parameters, self.wait_for, flow_context.run_results if flow_context else None)
        self.value: Any = None
        self.raised: BaseException | None = None
        self.returned_state: State | None = None
        self._txn: Any = None
        self._lease: Any = None
        self._context: TaskRunContext | None = None
        self.asset_metadata: dict[str, dict[str, Any]] | None = None
        outer = parent or flow_context
        store = get_result_store() if outer is None else outer.result_store
        self.store = store.update_for_task(task, _sync=True)
        self.persist = self._decides_to_persist()
        if task_run is not None:
            self.record = record_from_model(task_run)
        else:
            self.record = self._new_record(
                run_id,
                parameters,
                self.scan.inputs if dependencies is None else as_inputs(dependencies),  # type: ignore[union-attr]
            )

    def _decides_to_persist(self) -> bool:
        own = self.task.persist_result
        if own is not None:
            return own
        settings = get_current_settings()
        default = settings.tasks.default_persist_result
        if default is not None:
            return default
        if self.parent is not None:
            return self.parent.persist_result
        if self.flow_context is not None:
            return self.flow_context.persist_result
        return settings.results.persist_by_default or chosen_default_storage() is not None

    # -- the plan ------------------------------------------------------------------------------------------------

    def plan(self) -> Plan[None]:
        """Everything that happens in the life of this run."""
        ensure_logging_setup()
        try:
            self._begin_span(self.parameters)
            state = self.record.state
            if state is None or state.type != "PENDING":
                self.enter("PENDING", "Pending")
            if self.scan is not None and self.scan.resolvable and not (yield from self._resolve_inputs()):
                return
            self._name_run()
            if self.record.tags:
                self._lease = yield from slots.acquire(self)
            try:
                yield from self._attempts()
            finally:
                if self._lease is not None:
                    yield from slots.release(self._lease)
        except (Pause, Abort) as signal:
            self.raised = signal
        except GeneratorExit:
            raise
        except Exception as error:
            # The engine's own failure, or a bad name or input: nothing that retrying the function could mend.
            self._fail_to_start(error)
        except BaseException as error:
            self._crash(error)
        finally:
            self._finish()

    def _resolve_inputs(self) -> Plan[bool]:
        assert self.scan is not None
        if self.scan.futures:
            if any(
                future.task_run_id == self.record.id for future in self.scan.futures if hasattr(future, "task_run_id")
            ):
                raise ValueError(f"Task run {self.record.name!r} waits for its own future; it would never start.")
            yield Wait(self.scan.futures)
        try:
            self.parameters = resolve(self.parameters)
            check_upstreams(self.wait_for)
        except NotReady as upstream:
            self._not_ready(upstream.state)
            return False
        return True

    def _not_ready(self, upstream: State) -> None:
        details = upstream.state_details
        source = details.task_run_id or details.flow_run_id
        message = f"Upstream task run '{source}' did not reach a 'COMPLETED' state."
        self.enter("PENDING", "NotReady", message)
        cause = upstream.data if isinstance(upstream.data, BaseException) else None
        self.raised = UpstreamTaskError(
            f"{message} Task run {self.record.name!r} did not run: its upstream is {upstream}."
        )
        self.raised.__cause__ = cause

    def _name_run(self) -> None:
        template = self.task.task_run_name
        if template is not None:
            self.record.name = run_name_from(
                template, self.task.name, self.parameters, "task_run_name", self._in_context
            )
            self._follow_name()

    def _in_context(self, fn: Callable[[], Any]) -> Any:
        with self._make_context():
            return fn()

    def _make_context(self) -> TaskRunContext:
        return TaskRunContext(
            task=self.task,
            parameters=self.parameters,
            log_prints=self._logs_prints(),
            result_store=self.store,
            persist_result=self.persist,
            _run=self,
        )

    def _logs_prints(self) -> bool:
        own = self.task.log_prints
        if own is not None:
            return own
        outer = self.parent or self.flow_context
        return outer.log_prints if outer is not None else get_current_settings().logging.log_prints

    def _attempts(self) -> Plan[None]:
        attempt = 0
        while (delay := (yield from self._attempt(attempt))) is not None:
            if delay > 0:
                due = datetime.now(timezone.utc) + timedelta(seconds=delay)
                self.enter("SCHEDULED", "AwaitingRetry", details={"scheduled_time": due})
                yield Sleep(delay)
            attempt += 1

    def _attempt(self, attempt: int) -> Plan[float | None]:
        """One try. Returns the seconds until the next one, or None when the run is final."""
        with self._make_context() as context, tracing.around(self.span):
            self._context = context
            with patch_print() if context.log_prints else nullcontext():
                txn = self._open_transaction()
                if self.is_async:
                    yield Call(txn.__aenter__)
                else:
                    txn.__enter__()
                try:
                    return (yield from self._attempt_in(txn, attempt))
                except GeneratorExit:
                    raise
                except BaseException as error:
                    yield from self._close_transaction(error)  # nothing that runs later is to be a part of it
                    raise

    def _attempt_in(self, txn: Any, attempt: int) -> Plan[float | None]:
        task = self.task
        if txn.is_committed():
            self._adopt_cached((yield Call(txn.read)) if self.is_async else txn.read())
            yield from self._hooks(task.on_running_hooks)
            yield from self._close_transaction(None)
            yield from self._hooks(task.on_completion_hooks)
            return None
        self.enter("RUNNING", "Retrying" if attempt else "Running", details=self._running_details())
        yield from self._hooks(task.on_running_hooks)
        try:
            self._refuse_if_cancelled()
            value = yield from self._call_body()
        except (Pause, Abort):
            raise
        except ClosedEarly:
            value = None  # the consumer closed the generator early, which completes the run
        except BodyStopped as stopped:
            return (yield from self._handle_exception(stopped.error, attempt))
        except Exception as error:
            return (yield from self._handle_exception(error, attempt))
        except BaseException as error:
            self._crash(error)
            yield from self._close_transaction(error)
            return None
        return (yield from self._handle_value(value, attempt))

    def _call_body(self) -> Plan[Any]:
        task = self.task
        args, kwargs = task._call_arguments(self.parameters)
        if task.isgenerator:
            generator = task.fn(*args, **kwargs)
            step = self._async_step if self.is_async else self._step
            token = _current.task_run_context.set(None)  # the consumer of the yields is not inside this run
            try:
                # Only the drivers of generators meet this effect; it is theirs to perform.
                return (yield Iterate(generator, step, self._link_yield))  # type: ignore[return-value]
            finally:
                _current.task_run_context.set(self._context)
                del token
        return (yield Body(task.fn, args, kwargs, task.timeout_seconds, TaskRunTimeoutError))

    def _step(self, step: Callable[..., Any], *args: Any) -> Any:
        token = _current.task_run_context.set(self._context)
        try:
            return step(*args)
        finally:
            _current.task_run_context.reset(token)

    async def _async_step(self, step: Callable[..., Any], *args: Any) -> Any:
        token = _current.task_run_context.set(self._context)
        try:
            return await step(*args)
        finally:
            _current.task_run_context.reset(token)

    def _link_yield(self, value: Any) -> None:
        if self.flow_context is not None:
            self.flow_context.run_results.link(value, ("task_run", str(self.record.id)))

    def _refuse_if_cancelled(self) -> None:
        runner = self.flow_context.task_runner if self.flow_context is not None else None
        if runner is not None and getattr(runner, "_cancelled", False):
            raise _RunnerCancelled("The task runner was cancelled before this task run started.")

    # -- transactions and results --------------------------------------------------------------------------------

    def _open_transaction(self) -> Any:
        key = self._transaction_key()
        cls = AsyncTransaction if self.is_async else Transaction
        policy = self.task.cache_policy
        isolation = getattr(policy, "isolation_level", None) if policy is not None else None
        self._txn = cls.for_task(
            key=key,
            store=self.store,
            overwrite=self._refreshes_cache(),
            write_on_commit=self.persist,
            isolation_level=isolation,
            logger=self,
        )
        return self._txn

    def _transaction_key(self) -> str | None:
        task = self.task
        if task.result_storage_key is not None:
            return storage_key_from(task.result_storage_key, self.parameters)
        policy = task.cache_policy
        if policy is None or task.isgenerator or (not self.persist and task._default_policy):
            # Nothing under the default policy's key can exist: it holds this run's flow run id, and nothing is written.
            return None
        try:
            key = policy.compute_key(
                task_ctx=self._context,
                inputs=self.parameters,
                flow_parameters=(self.flow_context.parameters if self.flow_context else None) or {},
            )
        except Exception as error:
            task._warn_about_cache_key(self.logger, error)
            self.persist = False
            return None
        if key is not None:
            self.record.cache_key = key
        return key

    def _refreshes_cache(self) -> bool:
        own = self.task.refresh_cache
        return own if own is not None else get_current_settings().tasks.refresh_cache

    def _close_transaction(self, error: BaseException | None, *, final: bool = True) -> Plan[None]:
        txn, self._txn = self._txn, None
        if txn is None:
            return
        info = (type(error), error, error.__traceback__) if error is not None else (None, None, None)
        if error is not None and not final:
            # Another attempt follows: what this one staged goes, but the enclosing group must not roll back for it.
            txn.detach()
        if self.is_async:
            yield Call(txn.__aexit__, info)
        else:
            txn.__exit__(*info)

    def _adopt_cached(self, record: Any) -> None:
        self.value = record.result
        self.enter(
            "COMPLETED",
            "Cached",
            details=self._cache_details(record.metadata.expiration),
            data=record,
            stored_data=record.metadata.model_dump(mode="json"),
        )

    def _running_details(self) -> dict[str, Any] | None:
        return {"cache_key": self.record.cache_key} if self.record.cache_key else None

    def _cache_details(self, expiration: datetime | None) -> dict[str, Any] | None:
        if self.record.cache_key is None:
            return None
        self.record.cache_expiration = expiration
        return {"cache_key": self.record.cache_key, "cache_expiration": expiration}

    def _handle_value(self, value: Any, attempt: int) -> Plan[float | None]:
        value = materialise(value)
        made = returned_state(value, self._result_record)
        if made is not None:
            if made.is_failed() and (delay := (yield from retry_delay(self, made, attempt))) is not None:
                yield from self._close_transaction(_Retrying(), final=False)
                return delay
            return (yield from self._settle_returned(value, made))
        self.value = value
        record, metadata, details = value, None, None
        task = self.task
        if self.persist:
            expiration = datetime.now(timezone.utc) + task.cache_expiration if task.cache_expiration else None
            record = self.store.create_result_record(value, key=self._txn.key, expiration=expiration)
            metadata = record.metadata.model_dump(mode="json")
            details = self._cache_details(expiration)
        if self._txn.key is not None or task.on_rollback_hooks or task.on_commit_hooks or self._txn.parent is not None:
            self._txn.stage(
                record,
                on_rollback_hooks=[self._rolled_back, *task.on_rollback_hooks],
                on_commit_hooks=list(task.on_commit_hooks),
            )
        self.enter("COMPLETED", "Completed", details=details, data=record, stored_data=metadata)
        if self.flow_context is not None:
            self.flow_context.run_results.link(value, ("task_run", str(self.record.id)))
        yield from self._close_transaction(None)
        self._emit_assets()
        yield from self._hooks(task.on_completion_hooks)
        return None

    def _result_record(self, value: Any) -> Any:
        return self.store.create_result_record(value)

    def _settle_returned(self, value: Any, made: State) -> Plan[None]:
        self.value, self.returned_state = value, made
        self.enter_state(made)
        yield from self._close_transaction(None)
        self._emit_assets()
        hooks = (
            self.task.on_completion_hooks
            if made.is_completed()
            else self.task.on_failure_hooks
            if made.is_failed()
            else ()
        )
        yield from self._hooks(hooks)
        return None

    def _rolled_back(self, txn: Any) -> None:
        if self.record.state is None or self.record.state.type != "COMPLETED":
            return
        completed = self.state
        message = "Task rolled back as part of transaction"
        if txn.failure is not None:
            message += f", which could not be committed: {format_exception(txn.failure)}"
        entered = self.enter("COMPLETED", "RolledBack", message)
        entered.model = completed  # in this process the run keeps the state that holds its value

    _rolled_back.quiet = True  # type: ignore[attr-defined] - the engine's own hook needs no mention in the log

    # -- failures ------------------------------------------------------------------------------------------------

    def _handle_exception(self, error: Exception, attempt: int) -> Plan[float | None]:
        trim(error)
        if isinstance(error, _RunnerCancelled):
            self._crash(error)
            yield from self._close_transaction(error)
            return None
        if self.span is not None:
            self.span.fail(error)
        name, message = "Failed", f"Task run encountered an exception {format_exception(error)}"
        if isinstance(error, TimeoutError):
            name = "TimedOut"
            message = (
                f"Task run exceeded timeout of {self.task.timeout_seconds} second(s)"
                if isinstance(error, TaskRunTimeoutError)
                else f"Task run failed due to timeout: {error!r}"
            )
        state = State(type=StateType.FAILED, name=name, message=message, data=error)
        delay = yield from retry_delay(self, state, attempt)
        if delay is not None:
            what = (
                "Retrying immediately"
                if delay <= 0
                else f"Retry {attempt + 1}/{self.task.retries} will start {delay:g} second(s) from now"
            )
            self.logger.info("Task run failed with exception: %r - %s", error, what, exc_info=True)
            yield from self._close_transaction(error, final=False)
            return delay
        suffix = " - Retries are exhausted" if self.task.retries and attempt >= self.task.retries else ""
        self.logger.error("Task run failed with exception: %r%s", error, suffix, exc_info=error)
        self.raised = error
        stored = None
        if self.persist:
            stored = yield from self._persist_exception(error)
        self.enter("FAILED", name, message, details={"retriable": False}, data=error, stored_data=stored)
        yield from self._close_transaction(error)
        self._emit_assets()
        yield from self._hooks(self.task.on_failure_hooks)
        return None

    def _persist_exception(self, error: Exception) -> Plan[Any]:
        # Under a random key, never the cache key: a failure must not be served as a result.
        record = self.store.create_result_record(error)
        try:
            if self.is_async:
                yield Call(self.store.apersist_result_record, (record,))
            else:
                self.store.persist_result_record(record)
        except Exception as reason:
            self.logger.warning("The exception could not be stored as a result: %s", reason)
            return None
        return record.metadata.model_dump(mode="json")

    def _fail_to_start(self, error: Exception) -> None:
        self.raised = error
        message = f"Task run encountered an exception {format_exception(error)}"
        state = self.record.state
        if state is None or state.type not in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
            self.logger.error("Task run could not go on: %r", error, exc_info=error)
            self.enter("FAILED", "Failed", message, details={"retriable": False}, data=error)

    def _crash(self, error: BaseException) -> None:
        trim(error)
        self.raised = error
        state = self.record.state
        if state is not None and state.type in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
            return
        message = crashed_state(error).message
        self.logger.error("Crash detected! %s", message)
        self.enter("CRASHED", "Crashed", message, data=error)

    def fail(self, error: Exception) -> None:
        """Give a run that cannot start its final state."""
        self._fail_to_start(error)
        self._finish()

    def crash(self, error: BaseException) -> None:
        """End a run whose process has died, which could not record it."""
        self._crash(error)
        self._finish()

    def cancel_unstarted(self, message: str) -> None:
        """Give a run that will never start its final state."""
        self.enter("CANCELLED", "Cancelled", message)
        self._finish(log=False)

    # -- what came of it -----------------------------------------------------------------------------------------

    def outcome(self, return_type: str) -> Any:
        """What calling the task gives: its result or exception, or its final state."""
        if self.raised is not None and (return_type == "result" or not isinstance(self.raised, Exception)):
            raise self.raised
        return self.state if return_type == "state" else self.value

    def result(self, raise_on_failure: bool) -> Any:
        """What a future gives."""
        if self.returned_state is not None:
            return self.returned_state.result(raise_on_failure=raise_on_failure, _sync=True)
        error = self.raised
        if error is None:
            return self.value
        if isinstance(error, UpstreamTaskError):
            raise UnfinishedRun(f"Task run {self.record.name!r} did not run, its result is not available.") from error
        if not isinstance(error, Exception):
            crash = CrashedRun(self.record.state.message if self.record.state else str(error))
            crash.__cause__ = error
            error = crash
        if raise_on_failure:
            raise error
        return error

    def _hooks(self, hooks: Iterable[Callable[..., Any]]) -> Plan[None]:
        if hooks:
            yield from hook_calls(hooks, self.task, self.task_run, self.state, self.logger)

    def _emit_assets(self) -> None:
        task = self.task
        if self.flow_context is not None and (task._has_assets or task.asset_deps or self.flow_context.task_run_assets):
            track_assets(self.flow_context, task, self.record.id, self.record.task_inputs)
            if task._has_assets:
                task._emit_asset_events(self)

    def _finish(self, log: bool = True) -> None:
        state = self.record.state
        if log and state is not None:
            level = logging.INFO if state.type == "COMPLETED" else logging.ERROR
            if state.type == "PENDING" and state.name != "NotReady":
                self.logger.error(
                    "Task run %r ends without having run. Wait for its future (future.wait() or .result()) before its "
                    "flow or process ends.",
                    self.record.name,
                )
            elif (logger := logging.getLogger("prefect.task_runs")).isEnabledFor(level):
                record, line = self.record, f"Finished in state {_short(state)}"
                if state.message or not record_unseen(logger, level, line, record.flow_run_id, record.id):
                    self.logger.log(level, "Finished in state %s", _short(state))
        self._end_span()
        # A finished run may be kept for long by its future: let go of what only running needed.
        self.scan = self.wait_for = self._context = self._logger = self._lease = None
        self.parameters = {}


class _RunnerCancelled(Exception):
    """The task runner was told to cancel before the body began."""


class _Retrying(Exception):
    """Closes a transaction whose attempt returned a failed state that is tried again."""


def _short(state: StateRecord) -> str:
    """A state as its model prints."""
    parts = [repr(state.message)] if state.message else []
    if state.name.upper() != state.type:
        parts.append(f"type={state.type}")
    return f"{state.name}({', '.join(parts)})"


__all__ = ["TaskExecution", "TaskRunTimeoutError"]
