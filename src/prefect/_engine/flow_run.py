"""The life of one flow run: what is done before, around and after its function, as a plan that a driver performs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import ExitStack, nullcontext
from typing import Any

from prefect import _current
from prefect._asking import ask
from prefect._engine import heartbeats, supervision, tracing
from prefect._engine.block_references import has_references, plan_with_blocks
from prefect._engine.deployment_slots import slot_kept
from prefect._engine.effects import Body, BodyStopped, ClosedEarly, Iterate, Wait
from prefect._engine.hooks import hook_calls
from prefect._engine.inputs import NotReady, check_upstreams, resolve, scan
from prefect._engine.lineage import Lineage
from prefect._engine.names import run_name_from
from prefect._engine.ordered_end import ended_as_ordered
from prefect._engine.recorded_flow_run import RecordedFlowRun
from prefect._engine.signals import capture_sigterm, end_other_tasks
from prefect._engine.tracebacks import trim
from prefect._engine.values import materialise, returned_state
from prefect._plans import Pair, Plan, Sleep
from prefect._state_values import crashed_state, failed_state, format_exception, is_result_record, is_run_state
from prefect.client._calls.flow_runs import update_flow_run
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.context import FlowRunContext
from prefect.exceptions import Abort, ParameterTypeError, Pause, TerminationSignal, UnfinishedRun
from prefect.futures import PrefectFuture, resolve_futures_to_states
from prefect.logging.configuration import ensure_logging_setup
from prefect.results import chosen_default_storage, get_result_store
from prefect.settings import get_current_settings

_PENDING_POLL_SECONDS = 0.2


class FlowRunTimeoutError(TimeoutError):
    """A flow run exceeded its timeout."""


class FlowExecution(RecordedFlowRun):
    """A flow run in this process: what is done before its function is called, around it, and with what comes of it."""

    def __init__(
        self,
        flow: Any,
        parameters: dict[str, Any] | None = None,
        flow_run: FlowRun | None = None,
        wait_for: Iterable[Any] | None = None,
    ) -> None:
        super().__init__(flow, parameters, flow_run, wait_for)
        self.is_async = flow.isasync
        self.value: Any = None
        self.raised: BaseException | None = None
        self.store: Any = None
        self.persist = self._decides_to_persist()
        self.is_settled_elsewhere = False
        self._attempts_begun = 0 if flow_run is None else 1
        self._signals: list[int] = []

    def _decides_to_persist(self) -> bool:
        own = self.flow.persist_result
        if own is not None:
            return own
        outer = self.parent_task or self.parent
        if outer is not None:
            return outer.persist_result
        settings = get_current_settings()
        return settings.results.persist_by_default or chosen_default_storage() is not None

    # -- the plan ------------------------------------------------------------------------------------------------

    def plan(self) -> Plan[None]:
        """Everything that happens in the life of this run."""
        ensure_logging_setup()
        with ExitStack() as scope:
            if self.is_top_level:
                self._signals = scope.enter_context(capture_sigterm())
            scope.enter_context(heartbeats.runs_here())
            try:
                if self.flow_run is not None:
                    yield from self._take_on_retries()
                elif not (yield from self._create_or_adopt()):
                    return
                if (yield from self._prepare()):
                    yield from self._attempts()
            except (Pause, Abort) as signal:
                self.raised = signal
            except GeneratorExit:
                raise
            except Exception as error:
                yield from self._ensure_created()
                if self.flow_run is None:
                    raise
                # Not the function's failure but one around it: a bad name, storage that is not there.
                self.logger.error("Flow run could not go on: %s", format_exception(error), exc_info=error)
                yield from self._fail(
                    error, f"Flow run encountered an exception: {format_exception(error)}", force=True
                )
            except BaseException as error:
                if self.flow_run is None:
                    raise
                yield from self._crash(error)
            finally:
                self._log_finish()
                self._end_span()
                # A forked process may be ended without ceremony; its parent does not know what it recorded.
                if self.is_top_level or (self.parent is not None and self.parent.detached):
                    self._flush()
                if self.flow_run is not None and self.state is not None and self.state.is_final():
                    supervision.tell_end(self.flow_run.id)

    # -- before the body -----------------------------------------------------------------------------------------

    def _create_or_adopt(self) -> Plan[bool]:
        """Create the run, or find that a finished one serves. Returns whether there is anything to run."""
        earlier = yield from self._create()
        if earlier is None:
            return True
        self.flow_run, self.state = earlier, earlier.state
        if self.state is not None and self.state.is_completed() and self.state.data is not None:
            self.value = yield Pair(_result_of, _aresult_of, self.state)
            self.is_settled_elsewhere = True
            return False
        return True

    def _prepare(self) -> Plan[bool]:
        """Resolve, validate, name. Returns whether the function may be called."""
        flow = self.flow
        if self.parameters is None:
            self.parameters = flow._parameters_of_run(self.flow_run)
        try:
            yield from self._resolve_inputs()
        except NotReady as upstream:
            yield from self._ensure_created()
            yield from self.propose(
                State(type=StateType.PENDING, name="NotReady", message=_upstream_message(upstream.state))
            )
            self.raised = UnfinishedRun(
                f"Flow run {self.flow_run.name!r} did not run: {_upstream_message(upstream.state)}"
            )
            return False
        try:
            if has_references(self.parameters):
                self.parameters = yield from plan_with_blocks(self.parameters)
            if flow.should_validate_parameters:
                self.parameters = flow.validate_parameters(self.parameters)
        except ParameterTypeError as error:
            message = f"Validation of flow parameters failed with error: {error}"
            yield from self._ensure_created()
            self.logger.error(message)
            yield from self._fail(error, message, force=True)
            return False
        if flow.flow_run_name is not None:
            yield from self._ensure_created()
            yield from self._name_run()
        return True

    def _resolve_inputs(self) -> Plan[None]:
        assert self.parameters is not None
        found = scan(self.parameters, self.wait_for, None)
        if not found.resolvable:
            return
        if found.futures:
            yield from self._ensure_created()
            yield Wait(found.futures)
        self.parameters = resolve(self.parameters)
        check_upstreams(self.wait_for)

    def _name_run(self) -> Plan[None]:
        assert self.parameters is not None
        name = run_name_from(
            self.flow.flow_run_name, self.flow.name, self.parameters, "flow_run_name", self._in_small_context
        )
        yield ask(update_flow_run(self.flow_run.id, name=name))
        self.flow_run.name = name
        self._logger = None

    def _in_small_context(self, fn: Callable[[], Any]) -> Any:
        with self._make_context(task_runner=None):
            return fn()

    def _begin(self) -> Plan[bool]:
        """Enter Running. Returns whether the function is to be called."""
        # The core counts whole seconds when it says to wait; a fraction of one is waited out here. Whether it is more than
        # that, for a run that somebody else has submitted, the clock of the core decides.
        is_own = self.state is not None and self.state.is_scheduled()
        yield from self._wait_until_due(self.state, longest_seconds=float("inf") if is_own else 1.0)
        state = yield from self.propose(State(type=StateType.RUNNING))
        while state.is_pending() or state.is_scheduled():
            if state.is_pending():
                heartbeats.keep_alive()
                yield Sleep(_PENDING_POLL_SECONDS)
            else:
                yield from self._wait_until_due(state)
            state = yield from self.propose(State(type=StateType.RUNNING))
        if state.is_running():
            return True
        self.value = yield from self._value_of_present_state()
        return False

    def _value_of_present_state(self) -> Plan[Any]:
        assert self.state is not None
        try:
            return (yield Pair(_result_of, _aresult_of, self.state))
        except Exception as error:
            self.raised = error
            return None

    # -- the attempts --------------------------------------------------------------------------------------------

    def _attempts(self) -> Plan[None]:
        if not (yield from self._begin()):
            return
        yield from self._publish_span()
        word = "flow run" if self.is_top_level else "subflow run"
        self._log(logging.INFO, f"Beginning {word} {self.flow_run.name!r} for flow {self.flow.name!r}")
        with slot_kept(self.flow_run, self.is_async, self._has_ended_without_slot):
            while (yield from self._attempt()):
                # The core answered the failure with a later start: another attempt, here and now.
                assert self.state is not None
                self.logger.info(
                    "Received non-final state %r when proposing final state 'Failed' and will attempt to run again...",
                    self.state.name,
                )
                if not (yield from self._begin()):
                    return

    def _has_ended_without_slot(self, error: Exception) -> bool:
        if self.state is None or not self.state.is_final():
            return False
        if self.state.is_crashed():
            # What stopped the function says less than why it was stopped.
            self.raised = self.state.data = error
        return True

    def _make_context(self, task_runner: Any) -> FlowRunContext:
        if self.store is None:
            self.store = get_result_store().update_for_flow(self.flow, _sync=True)
        return FlowRunContext(
            flow=self.flow,
            flow_run=self.flow_run,
            parameters=self.parameters,
            task_runner=task_runner,
            log_prints=self._logs_prints(),
            result_store=self.store,
            persist_result=self.persist,
            run_results=Lineage(),
            is_first_attempt=self._attempts_begun <= 1,
        )

    def _logs_prints(self) -> bool:
        own = self.flow.log_prints
        if own is not None:
            return own
        outer = self.parent_task or self.parent
        return outer.log_prints if outer is not None else get_current_settings().logging.log_prints

    def _attempt(self) -> Plan[bool]:
        """One try. Returns whether another one follows."""
        flow = self.flow
        self._attempts_begun += 1
        runner = flow.task_runner.duplicate()
        with ExitStack() as scope:
            context = self.context = self._make_context(runner)
            scope.enter_context(context)
            # A task around this flow is not what runs inside it.
            token = _current.task_run_context.set(None)
            scope.callback(_current.task_run_context.reset, token)
            scope.enter_context(tracing.around(self._span))
            scope.enter_context(runner)
            scope.enter_context(heartbeats.beat_for(self.flow_run, flow))
            if context.log_prints:
                scope.enter_context(_log_prints())
            yield from self.run_hooks(flow.on_running_hooks)
            try:
                value = yield from self._call_body()
            except (Pause, Abort):
                raise
            except ClosedEarly:
                value = None  # the consumer closed the generator early, which completes the run
            except BodyStopped as stopped:
                return (yield from self._handle_exception(stopped.error))
            except Exception as error:
                return (yield from self._handle_exception(error))
            except BaseException as error:
                runner.cancel_all()
                yield from self._crash(error)
                return False
            return (yield from self._handle_value(value))

    def _call_body(self) -> Plan[Any]:
        flow = self.flow
        args, kwargs = flow._call_arguments(self.parameters)
        if flow.isgenerator:
            step = self._async_step if self.is_async else self._step
            # Only the drivers of generators meet this effect; it is theirs to perform.
            return (yield Iterate(flow.fn(*args, **kwargs), step, _ignore))  # type: ignore[return-value]
        return (yield Body(flow.fn, args, kwargs, flow.timeout_seconds, FlowRunTimeoutError))

    def _step(self, step: Callable[..., Any], *args: Any) -> Any:
        token = _current.flow_run_context.set(self.context)
        try:
            return step(*args)
        finally:
            _current.flow_run_context.reset(token)

    async def _async_step(self, step: Callable[..., Any], *args: Any) -> Any:
        token = _current.flow_run_context.set(self.context)
        try:
            return await step(*args)
        finally:
            _current.flow_run_context.reset(token)

    # -- after the body ------------------------------------------------------------------------------------------

    def _handle_value(self, value: Any) -> Plan[bool]:
        value = materialise(value)
        answer = yield from self._resolve_returned(value)
        state = returned_state(answer, self._keep_record)
        if state is None:
            state = State(type=StateType.COMPLETED, data=self._keep_record(answer))
        if self.persist and is_result_record(state.data):
            yield from self._persist(state.data)
        self._flush_tasks()
        final = yield from self.propose(state)
        if not final.is_final() and not final.is_paused() and final.is_scheduled():
            return True
        yield from self._settle(value, answer, final)
        return False

    def _keep_record(self, value: Any) -> Any:
        return self.store.create_result_record(value)

    def _resolve_returned(self, value: Any) -> Plan[Any]:
        if isinstance(value, PrefectFuture):
            yield Wait([value])
            return value.state
        if type(value) in (str, int, float, bool, type(None), bytes):
            return value
        if self.is_async:
            return (yield Pair(resolve_futures_to_states, _in_thread(resolve_futures_to_states), value))
        return resolve_futures_to_states(value)

    def _settle(self, value: Any, answer: Any, final: State) -> Plan[None]:
        """Decide what the caller gets, and run the hooks of the final state."""
        if isinstance(value, PrefectFuture) or isinstance(answer, State):
            self.value = yield from self._value_of_returned_state(answer, final)
        else:
            self.value = answer
        hooks: Any = ()
        if final.is_completed():
            hooks = self.flow.on_completion_hooks
        elif final.is_failed():
            hooks = self.flow.on_failure_hooks
        elif final.is_crashed():
            hooks = self.flow.on_crashed_hooks
        elif final.is_cancelling() and not (self.is_top_level and supervision.runs_cancellation_hooks()):
            hooks = self.flow.on_cancellation_hooks
        if self.parent is not None and self.tracking is not None:
            self.parent.run_results.link(self.value, ("task_run", str(self.tracking.id)))
        yield from self.run_hooks(hooks)

    def _value_of_returned_state(self, answer: State, final: State) -> Plan[Any]:
        source = answer if is_run_state(answer) or not is_result_record(final.data) else final
        try:
            return (yield Pair(_result_of, _aresult_of, source))
        except Exception as error:
            self.raised = error
            return None

    def _persist(self, record: Any) -> Plan[None]:
        try:
            yield Pair(self.store.persist_result_record, self.store.apersist_result_record, record)
        except Exception as error:
            # The value is still good in this process; the state refers to what could not be written.
            self.logger.warning("The result of the flow run could not be stored: %s", error)

    def _handle_exception(self, error: Exception) -> Plan[bool]:
        trim(error)
        if self._span is not None:
            self._span.fail(error)
        name, message = None, f"Flow run encountered an exception: {format_exception(error)}"
        if isinstance(error, TimeoutError):
            name = "TimedOut"
            message = (
                f"Flow run exceeded timeout of {self.flow.timeout_seconds} second(s)"
                if isinstance(error, FlowRunTimeoutError)
                else f"Flow run failed due to timeout: {error!r}"
            )
        self.logger.error("Encountered exception during execution: %r", error, exc_info=error)
        state = yield from self._fail(error, message, name=name)
        return state is not None and state.is_scheduled()

    def _fail(self, error: Exception, message: str, name: str | None = None, force: bool = False) -> Plan[State | None]:
        state = failed_state(error)
        state.message = message
        if name is not None:
            state.name = name
        if self.persist and self.store is not None:
            record = self.store.create_result_record(error)
            yield from self._persist(record)
            state.data = record
        self._flush_tasks()
        final = yield from self.propose(state, force=force)
        if final.is_scheduled():
            return final
        self.raised = error
        if final.is_failed():
            yield from self.run_hooks(self.flow.on_failure_hooks)
        return final

    def _crash(self, error: BaseException) -> Plan[None]:
        trim(error)
        self.raised = error
        if self.state is not None and self.state.is_final():
            return
        # A signal that reaches an idle event loop reaches its runs as a cancellation.
        cause = TerminationSignal(signal=self._signals[0]) if self._signals else error
        order = supervision.order()
        if order is None or not (yield from ended_as_ordered(self, order)):
            yield from self._record_crash(cause, error)
        if self._signals and self.is_async:
            yield Pair(_ignore, end_other_tasks)

    def _record_crash(self, cause: BaseException, error: BaseException) -> Plan[None]:
        state = crashed_state(cause)
        if not isinstance(cause, (KeyboardInterrupt, TerminationSignal)):
            self.logger.error("Crash detected! %s", state.message)
            self.logger.debug("Crash details:", exc_info=error)
        self.enter_by_force(state)
        self.state.data = error  # type: ignore[union-attr]
        yield from self.run_hooks(self.flow.on_crashed_hooks)

    def run_hooks(self, hooks: Iterable[Callable[..., Any]]) -> Plan[None]:
        """Call hooks with the state that the run has entered."""
        if not hooks:
            return
        assert self.state is not None
        with self._around_hooks():
            yield from hook_calls(hooks, self.flow, self.flow_run, self.state, self.logger)

    def _around_hooks(self) -> Any:
        """The run's context, where its attempts have not entered it: every hook can log, and ask what runs."""
        active = FlowRunContext.get()
        if active is not None and active.flow_run is not None and active.flow_run.id == self.flow_run.id:
            return nullcontext()
        try:
            return self._make_context(task_runner=None)
        except Exception as error:
            # Storage that is not there failed the run; the hook is told of it, without results.
            self.logger.debug("Hooks run without the context of the run: %s", format_exception(error))
            return nullcontext()

    def _log_finish(self) -> None:
        state = self.state
        if state is None or self.flow_run is None or self.is_settled_elsewhere:
            return
        if isinstance(self.raised, (Pause, Abort)):
            return
        level = logging.INFO if state.is_completed() or not self.is_async else logging.ERROR
        if state.message:
            self.logger.log(level, "Finished in state %s", state)
        else:
            self._log(level, f"Finished in state {state}")

    # -- what came of it -----------------------------------------------------------------------------------------

    def outcome(self, return_type: str) -> Any:
        """What calling the flow gives: its result or exception, or its final state."""
        if self.raised is not None and (return_type == "result" or not isinstance(self.raised, Exception)):
            raise self.raised
        return self.state if return_type == "state" else self.value


def _result_of(state: State) -> Any:
    return state.result(raise_on_failure=True, _sync=True)


async def _aresult_of(state: State) -> Any:
    return await state.aresult(raise_on_failure=True)


def _ignore(_: Any) -> None:
    return None


def _in_thread(fn: Callable[..., Any]) -> Callable[..., Any]:
    async def run(*args: Any) -> Any:
        import asyncio  # noqa: PLC0415 - loaded already wherever this runs

        return await asyncio.to_thread(fn, *args)

    return run


def _upstream_message(state: State) -> str:
    details = state.state_details
    return f"Upstream task run '{details.task_run_id or details.flow_run_id}' did not reach a 'COMPLETED' state."


def _log_prints() -> Any:
    from prefect.logging.loggers import patch_print  # noqa: PLC0415 - only runs that log prints need it

    return patch_print()


__all__ = ["FlowExecution", "FlowRunTimeoutError"]
