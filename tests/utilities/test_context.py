"""Context variables."""

from contextvars import ContextVar, copy_context

import pytest

from prefect.utilities.context import get_flow_run_id, get_task_and_flow_run_ids, get_task_run_id, temporary_context

colour: ContextVar[str] = ContextVar("colour", default="none")


def test_a_context_is_entered_for_a_while():
    context = copy_context()
    context.run(colour.set, "red")
    with temporary_context(context):
        assert colour.get() == "red"
        colour.set("blue")
    assert colour.get() == "none"


def test_the_previous_values_come_back_after_an_error():
    context = copy_context()
    context.run(colour.set, "red")
    with pytest.raises(KeyError), temporary_context(context):
        raise KeyError
    assert colour.get() == "none"


def test_outside_of_runs_there_are_no_ids():
    assert get_flow_run_id() is None
    assert get_task_run_id() is None
    assert get_task_and_flow_run_ids() == (None, None)
