"""Logging as it is before anything configures it, and a recorder that keeps what it is given."""

import logging
from types import SimpleNamespace
from uuid import uuid4

import pytest

from prefect import _current
from prefect._recorder import Recorder
from prefect.logging import configuration, handlers


class KeptLogs:
    """Stands where records leave the process."""

    def __init__(self) -> None:
        self.recorder = Recorder(self)
        self._rows: list[tuple] = []

    def deliver(self, batch) -> None:
        self._rows.extend(batch.logs)

    def close(self) -> None:
        pass

    @property
    def rows(self) -> list[SimpleNamespace]:
        assert self.recorder.flush(timeout=10)
        names = ("name", "level", "message", "timestamp", "flow_run_id", "task_run_id")
        return [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in self._rows]

    @property
    def messages(self) -> list[str]:
        return [row.message for row in self.rows]


@pytest.fixture(autouse=True)
def fresh_logging():
    """Give each test the logging of a new process, and give the old one back."""
    names = [
        "prefect",
        *(name for name in logging.root.manager.loggerDict if name.startswith(("prefect.", "uvicorn", "fastapi"))),
    ]
    loggers = [logging.getLogger(), *map(logging.getLogger, names)]
    before = [(logger, logger.level, logger.propagate, logger.disabled, list(logger.handlers)) for logger in loggers]
    config = dict(configuration.PROCESS_LOGGING_CONFIG)
    configuration.PROCESS_LOGGING_CONFIG.clear()
    for logger in loggers:
        logger.handlers.clear()
        logger.setLevel(logging.WARNING if logger is logging.root else logging.NOTSET)
        logger.propagate = True
    yield
    for logger in [logging.getLogger(), *map(logging.getLogger, list(logging.root.manager.loggerDict))]:
        logger.handlers.clear() if logger.name.startswith("prefect") else None
    for logger, level, propagate, disabled, kept in before:
        logger.setLevel(level)
        logger.propagate, logger.disabled = propagate, disabled
        logger.handlers[:] = kept
    configuration.PROCESS_LOGGING_CONFIG.clear()
    configuration.PROCESS_LOGGING_CONFIG.update(config)


@pytest.fixture(autouse=True)
def kept_logs(monkeypatch):
    """What is sent to the API."""
    kept = KeptLogs()
    monkeypatch.setattr(handlers, "get_recorder", lambda: kept.recorder)
    yield kept
    kept.recorder.stop(timeout=10)


@pytest.fixture
def in_flow_run():
    """The context of a flow run is active."""
    context = SimpleNamespace(
        flow_run=SimpleNamespace(id=uuid4(), name="brave-owl"), flow=SimpleNamespace(name="bake"), log_prints=True
    )
    token = _current.flow_run_context.set(context)
    yield context
    _current.flow_run_context.reset(token)


@pytest.fixture
def in_task_run(in_flow_run):
    """The context of a task run of that flow run is active."""
    record = SimpleNamespace(id=uuid4(), name="stir-0", flow_run_id=in_flow_run.flow_run.id)
    context = SimpleNamespace(record=record, task_run=record, task=SimpleNamespace(name="stir"), log_prints=False)
    token = _current.task_run_context.set(context)
    yield context
    _current.task_run_context.reset(token)
