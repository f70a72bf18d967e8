import json
import logging
import sys
from uuid import UUID

import pytest

from prefect.logging.formatters import JsonFormatter, PrefectFormatter, format_exception_info

ID = UUID("39da50dd-fd94-4b87-9436-31033aecc2bc")


def record(name="prefect.x", message="hello %s", args=("you",), **attributes):
    made = logging.LogRecord(
        name, logging.INFO, "/code/file.py", 3, message, args, attributes.pop("exc_info", None), "fn"
    )
    made.__dict__.update(attributes)
    return made


def an_exception():
    try:
        raise ValueError("too salty")
    except ValueError:
        return sys.exc_info()


def test_json_lines_hold_every_attribute_of_the_record():
    line = json.loads(JsonFormatter("default", None, "%").format(record(flow_run_id=ID, odd=object())))
    assert (line["msg"], line["args"], line["severity"], line["levelno"]) == ("hello %s", ["you"], "INFO", 20)
    assert (line["pathname"], line["lineno"], line["funcName"]) == ("/code/file.py", 3, "fn")
    assert line["flow_run_id"] == str(ID)
    assert line["odd"] == "<non-serializable: object>"


def test_json_lines_describe_exceptions():
    line = json.loads(JsonFormatter("default", None, "%").format(record(exc_info=an_exception())))
    assert line["exc_info"]["type"] == "ValueError"
    assert line["exc_info"]["message"] == "too salty"
    assert "raise ValueError" in line["exc_info"]["traceback"]


def test_pretty_json_is_indented_and_default_json_is_one_line():
    assert "\n" not in JsonFormatter("default", None, "%").format(record())
    assert '\n  "msg": "hello %s"' in JsonFormatter("pretty", None, "%").format(record())
    with pytest.raises(ValueError, match="'fancy'"):
        JsonFormatter("fancy", None, "%")


def test_no_exception_is_described_as_nothing():
    assert format_exception_info((None, None, None)) == {}


def test_runs_have_formats_of_their_own():
    formatter = PrefectFormatter(
        format="%(name)s: %(message)s",
        flow_run_fmt="F %(flow_run_name)s: %(message)s",
        task_run_fmt="T %(task_run_name)s: %(message)s",
    )
    assert formatter.format(record()) == "prefect.x: hello you"
    assert formatter.format(record("prefect.flow_runs", flow_run_name="a")) == "F a: hello you"
    assert formatter.format(record("prefect.task_runs", task_run_name="b")) == "T b: hello you"
    assert (
        formatter.format(record("prefect.flow_runs.child", flow_run_name="a")) == "prefect.flow_runs.child: hello you"
    )


def test_a_record_without_a_runs_name_is_still_formatted():
    formatter = PrefectFormatter(format="%(message)s", flow_run_fmt="%(flow_run_name)s")
    assert formatter.format(record("prefect.flow_runs")) == "hello you"


def test_other_notations_and_defaults_work():
    formatter = PrefectFormatter(
        "{message} {unit}", style="{", defaults={"unit": "kg"}, flow_run_fmt="{message}/{unit}"
    )
    assert formatter.format(record()) == "hello you kg"
    assert formatter.format(record("prefect.flow_runs", flow_run_name="a")) == "hello you/kg"
    with pytest.raises(ValueError):
        PrefectFormatter("%(message)s", flow_run_fmt="no field at all %")
