import io
import logging
import logging.config
from contextlib import contextmanager

import pytest

from prefect.logging import configuration
from prefect.logging._defaults import default_config
from prefect.logging.configuration import (
    DEFAULT_LOGGING_SETTINGS_PATH,
    PROCESS_LOGGING_CONFIG,
    ensure_logging_setup,
    load_logging_config,
    setup_logging,
    to_envvar,
)
from prefect.logging.handlers import APILogHandler, PrefectConsoleHandler
from prefect.settings import PREFECT_LOGGING_CONFIG_PATH, get_current_settings, temporary_settings

OWN_FILE = """
version: 1
disable_existing_loggers: false
formatters:
  plain: {format: "own: %(message)s"}
handlers:
  console: {class: logging.StreamHandler, formatter: plain, stream: ext://sys.stderr}
loggers:
  prefect: {level: $PREFECT_LOGGING_LEVEL, handlers: [console]}
"""


@contextmanager
def bare_root():
    """The root logger without the handlers that pytest puts there."""
    kept = list(logging.root.handlers)
    logging.root.handlers.clear()
    try:
        yield logging.root
    finally:
        logging.root.handlers[:] = kept


def describe() -> dict[str, object]:
    """What the logging of this process is like, in comparable terms."""
    names = ["", *default_config(get_current_settings())["loggers"]]
    return {
        name: (
            logging.getLogger(name).level,
            logging.getLogger(name).propagate,
            [
                (type(handler).__name__, handler.level, getattr(handler.formatter, "_fmt", None), len(handler.filters))
                for handler in logging.getLogger(name).handlers
            ],
        )
        for name in names
    }


def test_importing_the_configuration_configures_nothing():
    with bare_root():
        assert not PROCESS_LOGGING_CONFIG
        assert not logging.getLogger("prefect.flow_runs").handlers


def test_the_default_is_applied_as_the_standard_library_would():
    with bare_root() as root:
        setup_logging()
        ours = describe()

        logging.root.handlers.clear()
        logging.config.dictConfig(default_config(get_current_settings()))
        configuration._guard_handlers(default_config(get_current_settings())["loggers"])
        assert ours == describe()
        assert [type(handler) for handler in root.handlers] == [PrefectConsoleHandler]


def test_the_yaml_file_says_the_same_as_the_built_in_default():
    assert load_logging_config(DEFAULT_LOGGING_SETTINGS_PATH) == default_config(get_current_settings())


def test_what_was_applied_is_remembered_and_a_second_time_changes_levels_only():
    with bare_root() as root:
        first = setup_logging()
        assert first["incremental"] is False
        assert first == PROCESS_LOGGING_CONFIG
        handler = root.handlers[0]

        with temporary_settings({"logging.level": "WARNING"}):
            second = setup_logging()
        assert second["incremental"] is True
        assert logging.getLogger("prefect").level == logging.WARNING
        assert root.handlers == [handler]


def test_logging_is_set_up_once():
    with bare_root():
        ensure_logging_setup()
        logging.getLogger("prefect").setLevel(logging.ERROR)
        ensure_logging_setup()
        assert logging.getLogger("prefect").level == logging.ERROR


def test_the_applications_root_handlers_are_left_alone():
    with bare_root() as root:
        own = logging.StreamHandler(io.StringIO())
        root.addHandler(own)
        root.setLevel(logging.DEBUG)
        setup_logging()
        assert root.handlers == [own]
        assert root.level == logging.DEBUG
        assert isinstance(logging.getLogger("prefect.flow_runs").handlers[0], APILogHandler)


def test_a_file_of_the_users_own_replaces_the_default(tmp_path, capsys):
    with bare_root():
        path = tmp_path / "logging.yml"
        path.write_text(OWN_FILE)
        with temporary_settings({PREFECT_LOGGING_CONFIG_PATH: path, "logging.level": "WARNING"}):
            setup_logging()
            logging.getLogger("prefect.x").warning("hello")
            logging.getLogger("prefect.x").info("too low")
        assert capsys.readouterr().err == "own: hello\n"


@pytest.mark.parametrize(
    ("variable", "value", "place", "expected"),
    [
        (
            "PREFECT_LOGGING_LOGGERS_PREFECT_FLOW_RUNS_LEVEL",
            "ERROR",
            ("loggers", "prefect.flow_runs", "level"),
            "ERROR",
        ),
        ("PREFECT_LOGGING_ROOT_LEVEL", "DEBUG", ("root", "level"), "DEBUG"),
        ("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "30", ("handlers", "console", "level"), 30),
        ("PREFECT_LOGGING_ROOT_HANDLERS", "console, debug", ("root", "handlers"), ["console", "debug"]),
        ("PREFECT_LOGGING_LOGGERS_PREFECT_EXTRA_PROPAGATE", "true", ("loggers", "prefect.extra", "propagate"), True),
        (
            "PREFECT_LOGGING_HANDLERS_CONSOLE_STYLES_LOG_WEB_URL",
            "red",
            ("handlers", "console", "styles", "log.web_url"),
            "red",
        ),
    ],
)
def test_any_leaf_can_be_overridden_by_a_variable(monkeypatch, variable, value, place, expected):
    with bare_root():
        monkeypatch.setenv(variable, value)
        node = setup_logging()
        for key in place:
            node = node[key]
        assert node == expected


def test_an_overridden_format_is_used(monkeypatch, capsys):
    with bare_root():
        monkeypatch.setenv("PREFECT_LOGGING_FORMATTERS_STANDARD_FORMAT", "<%(message)s>")
        setup_logging()
        logging.getLogger("prefect.x").warning("hello")
        assert capsys.readouterr().err == "<hello>\n"


def test_a_place_becomes_a_part_of_a_variables_name():
    assert to_envvar("loggers.prefect.flow-runs_level") == "loggers_prefect_flow_runs_level"


def test_extra_loggers_are_sent_to_the_api_and_keep_their_levels(kept_logs, in_flow_run):
    logging.getLogger("library").setLevel(logging.INFO)
    with temporary_settings({"logging.extra_loggers": "library,unused"}):
        setup_logging()
        logging.getLogger("library.part").info("from the library")
        logging.getLogger("library").debug("too low")
    assert kept_logs.messages == ["from the library"]
    assert kept_logs.rows[0].flow_run_id == in_flow_run.flow_run.id


def test_setting_up_twice_sends_extra_records_once(kept_logs, in_flow_run):
    with temporary_settings({"logging.extra_loggers": "library"}):
        setup_logging()
        setup_logging()
        logging.getLogger("library").warning("once")
    assert kept_logs.messages == ["once"]
