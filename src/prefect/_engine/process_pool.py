"""Runs task runs in other processes; their records come back through a queue and are delivered by this one."""

from __future__ import annotations

import asyncio
import copy
import logging
import multiprocessing
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

import cloudpickle

from prefect._engine.effects import run_to_end, run_to_end_async
from prefect._engine.task_run import TaskExecution
from prefect._recorder import Recorder, get_recorder, use_recorder
from prefect._recorder._recorder import Batch
from prefect._recorder._records import SNAPSHOT_FIELDS
from prefect.client.schemas.objects import State
from prefect.context import hydrated_context

Processor = Callable[[tuple[str, Any]], "tuple[str, Any] | None"]
"""Takes a message (kind, record) of a child process; returns what to keep of it, or None."""


class ProcessPool:
    """Processes that run tasks.

    Args:
        max_workers: The most processes; None for one a core.
        factories: Make the functions that every record of a child goes through.
        initializer: Called in each process before its first task, with `initargs`.
    """

    def __init__(
        self,
        max_workers: int | None,
        factories: Iterable[Callable[[], Processor]],
        initializer: Callable[..., None] | None,
        initargs: tuple[Any, ...],
    ) -> None:
        # Forking a process that has threads copies their locks in whatever state they are.
        context = multiprocessing.get_context("spawn")
        self._messages = context.SimpleQueue()
        self._processors = [factory() for factory in factories]
        self._executor = ProcessPoolExecutor(
            max_workers, context, initializer=_start_child, initargs=(self._messages, initializer, initargs)
        )
        self._recorder = get_recorder()
        self._receiver = threading.Thread(target=self._receive, name="prefect-process-records", daemon=True)
        self._receiver.start()

    def submit_task(
        self, task: Any, run_id: Any, parameters: dict[str, Any], dependencies: dict[str, Any], context: dict[str, Any]
    ) -> Future[bytes]:
        """Run one task; gives its pickled final state.

        Raises:
            Exception: Something cannot be pickled.
        """
        return self._executor.submit(
            _run_in_child, cloudpickle.dumps((task, run_id, parameters, dependencies, context))
        )

    @staticmethod
    def unpack_state(data: bytes) -> State:
        """The final state that a child sent.

        Raises:
            TypeError: Its value or exception cannot be unpickled.
        """
        try:
            return cloudpickle.loads(data)
        except Exception as error:
            raise TypeError(
                f"What a task gave or raised cannot be sent back from its process, because it cannot be unpickled: {error}. "
                "Return plain data, give exceptions the arguments of their constructors, or use the ThreadPoolTaskRunner."
            ) from error

    def close(self, *, cancel: bool = False) -> None:
        """Wait for what is running, and for its records."""
        self._executor.shutdown(wait=True, cancel_futures=cancel)
        self._messages.put(None)
        self._receiver.join()

    def cancel_queued(self) -> None:
        """Cancel what has not begun."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _receive(self) -> None:
        while (batch := self._messages.get()) is not None:
            self._recorder.adopt(self._process(batch) if self._processors else batch)

    def _process(self, batch: Batch) -> Batch:
        kept = Batch()
        for kind, records, target in (
            ("transition", batch.transitions, kept.transitions),
            ("log", batch.logs, kept.logs),
            ("event", batch.events, kept.events),
        ):
            for record in records:
                message: tuple[str, Any] | None = (kind, record)
                for processor in self._processors:
                    if message is None:
                        break
                    try:
                        message = processor(message)
                    except Exception:
                        logging.getLogger("prefect.task_runner").exception("A subprocess message processor failed")
                if message is not None:
                    target.append(message[1])  # type: ignore[arg-type]
        return kept


# -- in the child ------------------------------------------------------------------------------------------------------


_STATE = SNAPSHOT_FIELDS.index("state")


class _QueueSink:
    """Sends batches to the parent process."""

    def __init__(self, messages: Any) -> None:
        self._messages = messages

    def deliver(self, batch: Batch) -> None:
        # Values and exceptions stay here: nothing is stored of them, and many cannot be pickled.
        batch.transitions = [
            (_without_values(snapshot), _without_data(state), _without_data(previous), related)
            for snapshot, state, previous, related in batch.transitions
        ]
        self._messages.put(batch)

    def close(self) -> None:
        pass  # the queue is the parent's, which holds the runs too


def _without_values(snapshot: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*snapshot[:_STATE], _without_data(snapshot[_STATE]), *snapshot[_STATE + 1 :])


def _without_data(state: Any) -> Any:
    if state is None:
        return None
    light = copy.copy(state)
    light.data = light.model = None
    return light


def _start_child(messages: Any, initializer: Callable[..., None] | None, initargs: tuple[Any, ...]) -> None:
    use_recorder(Recorder(_QueueSink(messages)))
    if initializer is not None:
        initializer(*initargs)


def _run_in_child(payload: bytes) -> bytes:
    task, run_id, parameters, dependencies, context = cloudpickle.loads(payload)
    with hydrated_context(context):
        execution = TaskExecution(task, parameters, run_id=run_id, dependencies=dependencies)
        if task.isasync:
            asyncio.run(run_to_end_async(execution))
        else:
            run_to_end(execution)
        state = execution.state
        if task.isgenerator and execution.raised is None:
            state.data = execution.value
    # The records go before the result does, so that they are there when the future is done.
    get_recorder().flush()
    try:
        return cloudpickle.dumps(state)
    except Exception as error:
        raise TypeError(
            f"The result of task {task.name!r} cannot be sent back from its process, because it cannot be pickled: {error}. "
            "Return plain data, or use the ThreadPoolTaskRunner."
        ) from error
