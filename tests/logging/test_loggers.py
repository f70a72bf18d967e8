import builtins
import logging
import threading
from types import SimpleNamespace
from uuid import uuid4

import pytest

from prefect import _current
from prefect.exceptions import MissingContextError
from prefect.logging import LogEavesdropper, disable_run_logger, get_logger, get_run_logger
from prefect.logging.configuration import setup_logging
from prefect.logging.loggers import (
    PrefectLogAdapter,
    disable_logger,
    flow_run_logger,
    get_worker_logger,
    patch_print,
    task_run_logger,
)


def test_names_are_put_below_prefect_once():
    assert get_logger("x").name == "prefect.x"
    assert get_logger("prefect.x") is get_logger("x")
    assert get_logger().name == get_logger("prefect").name == "prefect"


def test_the_logger_of_a_flow_run_carries_its_ids_and_names(in_flow_run):
    logger = get_run_logger(colour="red")

    assert logger.name == "prefect.flow_runs"
    assert logger.extra == {
        "flow_run_name": "brave-owl",
        "flow_run_id": str(in_flow_run.flow_run.id),
        "flow_name": "bake",
        "deployment_name": None,
        "colour": "red",
    }


def test_the_logger_of_a_task_run_carries_the_flow_run_too(in_task_run, in_flow_run):
    logger = get_run_logger()

    assert logger.name == "prefect.task_runs"
    assert logger.extra == {
        "task_run_id": str(in_task_run.record.id),
        "task_run_name": "stir-0",
        "task_name": "stir",
        "flow_run_id": str(in_flow_run.flow_run.id),
        "flow_run_name": "brave-owl",
        "flow_name": "bake",
    }


def test_in_a_flow_called_by_a_task_the_flow_run_is_logged_to(in_task_run):
    inner = SimpleNamespace(flow_run=SimpleNamespace(id=uuid4(), name="inner"), flow=SimpleNamespace(name="nested"))
    token = _current.flow_run_context.set(inner)
    try:
        assert get_run_logger().extra["flow_run_name"] == "inner"
    finally:
        _current.flow_run_context.reset(token)


def test_a_given_context_has_precedence_over_the_active_one(in_task_run, in_flow_run):
    assert get_run_logger(in_flow_run).name == "prefect.flow_runs"
    with pytest.raises(TypeError, match="not 'a flow'"):
        get_run_logger(context="a flow")


def test_without_a_run_there_is_no_run_logger():
    with pytest.raises(MissingContextError, match="no active flow or task run"):
        get_run_logger()


def test_disabled_run_loggers_make_a_silent_one_available_anywhere(caplog):
    with disable_run_logger():
        get_run_logger().critical("nobody hears this")
    assert not logging.getLogger("prefect.flow_runs").disabled
    assert not caplog.records


def test_a_logger_is_disabled_only_inside_the_block():
    logger = logging.getLogger("prefect.somewhere")
    with pytest.raises(ZeroDivisionError), disable_logger("prefect.somewhere"):
        assert logger.disabled
        raise ZeroDivisionError
    assert not logger.disabled


def test_what_is_unknown_of_a_run_is_marked_so():
    id = uuid4()
    assert flow_run_logger(flow_run_id=id).extra["flow_run_name"] == "<unknown>"
    assert flow_run_logger(flow_run_id=id).extra["flow_run_id"] == str(id)
    run = SimpleNamespace(id=id, name="alone", flow_run_id=None)
    assert task_run_logger(run).extra["flow_run_id"] == "<unknown>"
    with pytest.raises(ValueError, match="flow_run_id"):
        flow_run_logger()


def test_the_deployment_of_the_process_is_named(monkeypatch):
    monkeypatch.setenv("PREFECT__DEPLOYMENT_NAME", "nightly")
    assert flow_run_logger(flow_run_id=uuid4()).extra["deployment_name"] == "nightly"


def test_attributes_of_one_call_come_on_top_of_the_runs(caplog):
    logger = flow_run_logger(flow_run_id=uuid4())
    logger.warning("both", extra={"batch": 7})
    logger.warning("only the run's")
    assert (caplog.records[0].batch, caplog.records[0].flow_name) == (7, "<unknown>")
    assert not hasattr(caplog.records[1], "batch")


def test_a_child_logger_keeps_the_attributes_and_adds_its_own(caplog):
    child = flow_run_logger(flow_run_id=uuid4(), a=1).getChild("part", {"b": 2})
    child.warning("from the part")
    assert isinstance(child, PrefectLogAdapter)
    record = caplog.records[0]
    assert (record.name, record.a, record.b) == ("prefect.flow_runs.part", 1, 2)


def test_a_worker_logs_under_its_type_and_name():
    class Worker:
        type = "process"
        name = "My Worker"
        backend_id = None

    assert get_worker_logger(Worker()).name == "prefect.workers.process.my worker"
    known = Worker()
    known.backend_id = uuid4()
    assert get_worker_logger(known, name="w").extra["worker_id"] == str(known.backend_id)


def test_an_eavesdropper_collects_lines_of_a_logger_at_its_level():
    with LogEavesdropper("kitchen", level=logging.WARNING) as heard:
        logging.getLogger("kitchen.oven").error("hot: %d", 300)
        logging.getLogger("kitchen").warning("smoke")
        logging.getLogger("kitchen").info("not heard")
    logging.getLogger("kitchen").warning("too late")
    assert heard.text() == "[ERROR]: hot: 300\n[WARNING]: smoke"


# -- prints -----------------------------------------------------------------------------------------------------------


def test_prints_of_a_run_become_log_records_with_the_callers_place(in_flow_run, kept_logs, capsys):
    setup_logging()
    with patch_print():
        print("one", 2, sep="-", end="!\n\n")
    assert kept_logs.messages == ["one-2!"]
    assert kept_logs.rows[0].flow_run_id == in_flow_run.flow_run.id
    assert capsys.readouterr().out == ""


def test_a_printed_record_knows_the_line_that_printed(in_flow_run, caplog):
    setup_logging()
    with patch_print():
        print("here")
    assert caplog.records[0].funcName == "test_a_printed_record_knows_the_line_that_printed"


def test_a_task_that_does_not_log_prints_prints_inside_a_flow_that_does(in_task_run, kept_logs, capsys):
    setup_logging()
    with patch_print():
        print("out loud")
    assert capsys.readouterr().out == "out loud\n"
    assert kept_logs.messages == []


def test_other_threads_print_as_ever_while_a_run_logs_its_prints(in_flow_run, kept_logs, capsys):
    setup_logging()
    with patch_print():
        thread = threading.Thread(target=lambda: print("elsewhere"))
        thread.start()
        thread.join()
    assert capsys.readouterr().out == "elsewhere\n"
    assert kept_logs.messages == []


def test_printing_to_a_file_stays_printing(in_flow_run, kept_logs, tmp_path):
    setup_logging()
    with patch_print(), (tmp_path / "out").open("w") as file:
        print("kept", file=file)
    assert (tmp_path / "out").read_text() == "kept\n"
    assert kept_logs.messages == []


def test_print_is_restored_when_the_last_block_ends():
    before = builtins.print
    with patch_print():
        with patch_print():
            pass
        assert builtins.print is not before
    assert builtins.print is before


def test_a_handler_that_prints_does_not_log_for_ever(in_flow_run, capsys):
    class Printing(logging.Handler):
        def emit(self, record):
            print(f"handled {record.getMessage()}")

    logging.getLogger("prefect.flow_runs").addHandler(Printing())
    logging.getLogger("prefect.flow_runs").setLevel(logging.INFO)
    with patch_print():
        print("once")
    assert capsys.readouterr().out == "handled once\n"
