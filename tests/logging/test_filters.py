import io
import logging

import pytest

from prefect.logging import get_logger
from prefect.logging.configuration import setup_logging
from prefect.logging.filters import redact_substr
from prefect.logging.formatters import JsonFormatter
from prefect.logging.loggers import flow_run_logger
from prefect.settings import temporary_settings

KEY = "pnu_1234567890"


@pytest.fixture(autouse=True)
def with_api_key():
    with temporary_settings({"api.key": KEY}):
        yield


class Holder:
    def __str__(self):
        return f"holds {KEY}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"a {KEY} b", "a ******** b"),
        ([KEY, 1], ["********", 1]),
        ((KEY,), ("********",)),
        ({KEY}, {"********"}),
        ({KEY: {"deep": [KEY]}}, {"********": {"deep": ["********"]}}),
        (f"x{KEY}".encode(), b"x********"),
        (Holder(), "holds ********"),
    ],
)
def test_the_key_is_masked_wherever_it_shows(value, expected):
    assert redact_substr(value, KEY) == expected


@pytest.mark.parametrize("value", ["text", 3, None, [1, "a"], {"a": (1,)}, ValueError("x"), object()])
def test_what_does_not_hold_the_key_stays_the_same_object(value):
    assert redact_substr(value, KEY) is value


def test_exceptions_become_redacted_copies_of_their_type():
    redacted = redact_substr(ValueError(f"bad {KEY}"), KEY)
    assert type(redacted) is ValueError
    assert str(redacted) == "bad ********"


def test_an_exception_that_cannot_be_made_again_becomes_its_redacted_text():
    class Strict(Exception):
        def __init__(self, one, two):
            super().__init__(f"{one}{two}")

    assert redact_substr(Strict("a", KEY), KEY) == "a********"


def test_message_arguments_and_traceback_of_a_record_are_masked(caplog):
    logger = get_logger("secretive")
    try:
        raise ValueError(KEY)
    except ValueError:
        logger.warning(f"key {KEY}: %s", Holder(), exc_info=True)  # noqa: G004
    assert KEY not in caplog.text
    assert "key ********: holds ********" in caplog.text
    assert KEY not in JsonFormatter("default", None, "%").format(caplog.records[0])


def test_the_key_does_not_reach_the_api_or_the_console(kept_logs, in_flow_run, capsys):
    with temporary_settings({"logging.extra_loggers": "library"}):
        logging.root.handlers.clear()
        setup_logging()
        flow_run_logger(in_flow_run.flow_run).info("mine: %s", KEY)
        logging.getLogger("library").warning("theirs: %s", KEY)
    assert kept_logs.messages == ["mine: ********", "theirs: ********"]
    assert KEY not in capsys.readouterr().err


def test_child_loggers_mask_the_key_for_foreign_handlers_too():
    heard = io.StringIO()
    logger = flow_run_logger(flow_run_id="x").getChild("part")
    logger.logger.addHandler(logging.StreamHandler(heard))
    logger.warning(KEY)
    assert heard.getvalue() == "********\n"
