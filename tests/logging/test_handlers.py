import io
import logging
import sys
import warnings
from datetime import datetime, timezone
from uuid import UUID, uuid4

import pytest

from prefect.exceptions import MissingContextError
from prefect.logging import get_run_logger
from prefect.logging.configuration import setup_logging
from prefect.logging.formatters import PrefectFormatter
from prefect.logging.handlers import (
    APILogHandler,
    APILogWorker,
    PrefectConsoleHandler,
    emit_api_log,
    set_api_log_sink,
)
from prefect.logging.loggers import flow_run_logger, task_run_logger
from prefect.settings import temporary_settings


@pytest.fixture
def configured(kept_logs):
    setup_logging()
    return kept_logs


# -- to the API -------------------------------------------------------------------------------------------------------


def test_a_record_of_a_task_run_is_sent_with_both_ids(configured, in_task_run, in_flow_run):
    get_run_logger().warning("half %s", "done")
    (row,) = configured.rows
    assert (row.name, row.level, row.message) == ("prefect.task_runs", logging.WARNING, "half done")
    assert (row.flow_run_id, row.task_run_id) == (in_flow_run.flow_run.id, in_task_run.record.id)


def test_records_below_the_level_are_not_sent(configured, in_flow_run):
    get_run_logger().debug("detail")
    assert configured.messages == []


def test_a_run_that_is_only_known_by_its_id_gets_its_records(configured):
    id = uuid4()
    flow_run_logger(flow_run_id=id).info("from afar")
    assert configured.rows[0].flow_run_id == id


def test_an_exceptions_traceback_is_part_of_the_message(configured, in_flow_run):
    try:
        raise ValueError("too hot")
    except ValueError:
        get_run_logger().exception("failed")
    message = configured.messages[0]
    assert message.startswith("failed\nTraceback")
    assert message.endswith("ValueError: too hot")


def test_a_record_can_opt_out(configured, in_flow_run):
    get_run_logger().info("for the console only", extra={"send_to_api": False})
    assert configured.messages == []


def test_nothing_is_sent_when_sending_is_off(configured, in_flow_run):
    with temporary_settings({"logging.to_api.enabled": False}):
        get_run_logger().info("kept here")
    assert configured.messages == []


def test_long_messages_are_cut_at_the_limit_in_bytes(configured, in_flow_run):
    with temporary_settings({"logging.to_api.max_log_size": 100}):
        get_run_logger().info("é" * 200)
        get_run_logger().info("x" * 100)
    cut, whole = configured.messages
    assert len(cut.encode()) <= 100
    assert cut.startswith("éé") and "truncated" in cut
    assert whole == "x" * 100


def test_a_task_run_without_a_flow_run_keeps_its_records_without_a_warning(configured):
    run = type("Run", (), {"id": uuid4(), "name": "lonely", "flow_run_id": None})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        task_run_logger(run).info("still here")
    assert (configured.rows[0].flow_run_id, configured.rows[0].task_run_id) == (None, run.id)


def test_a_record_without_a_run_is_warned_of_at_the_callers_line(configured):
    with pytest.warns(UserWarning, match="belongs to no flow run") as caught:
        logging.getLogger("prefect.flow_runs").warning("whose?")
    assert caught[0].filename == __file__
    assert configured.messages == []


def test_a_record_without_a_run_is_an_error_or_nothing_on_request(configured):
    with temporary_settings({"logging.to_api.when_missing_flow": "error"}), pytest.raises(MissingContextError):
        logging.getLogger("prefect.flow_runs").warning("whose?")
    with temporary_settings({"logging.to_api.when_missing_flow": "ignore"}), warnings.catch_warnings():
        warnings.simplefilter("error")
        logging.getLogger("prefect.flow_runs").warning("whose?")


def test_a_record_that_cannot_be_made_is_reported_and_does_not_raise(configured, in_flow_run, capsys):
    class Broken:
        def __str__(self):
            raise RuntimeError("no text")

    logging.getLogger("prefect.flow_runs").propagate = False  # pytest's own handler would raise
    logging.getLogger("prefect.flow_runs").setLevel(logging.INFO)
    get_run_logger().info("%s", Broken())
    assert "could not be sent to the API" in capsys.readouterr().err
    assert configured.messages == []


def test_a_sink_gets_the_records_in_place_of_the_api(configured, in_flow_run):
    sunk = []
    set_api_log_sink(sunk.append)
    try:
        get_run_logger().info("to the parent process")
    finally:
        set_api_log_sink(None)
    get_run_logger().info("to the API")
    assert configured.messages == ["to the API"]
    (log,) = sunk
    assert log["message"] == "to the parent process"
    assert log["flow_run_id"] == str(in_flow_run.flow_run.id)

    emit_api_log(log)  # as the parent process does with what it receives
    assert configured.messages == ["to the API", "to the parent process"]
    sent = configured.rows[1]
    assert isinstance(sent.flow_run_id, UUID)
    assert sent.timestamp == datetime.fromisoformat(log["timestamp"])
    assert sent.timestamp.tzinfo == timezone.utc


def test_the_log_worker_stands_for_the_recorder(configured):
    id = uuid4()
    record = {
        "name": "n",
        "level": 20,
        "message": "m",
        "timestamp": "2026-01-01T00:00:00+00:00",
        "flow_run_id": str(id),
    }
    worker = APILogWorker.instance()
    worker.send({**record, "task_run_id": None})
    assert configured.messages == ["m"]
    assert worker is APILogWorker.instance()
    assert worker.min_interval == 2.0
    assert worker.max_batch_size == 3_000_000


async def test_flushing_and_draining_work_with_and_without_a_loop():
    APILogHandler().flush()
    await APILogHandler.aflush()
    assert await APILogWorker.drain_all(timeout=5) == (set(), set())
    assert await APILogWorker.instance().drain() is True


def test_a_workers_records_are_sent_when_the_api_knows_it(configured):
    known = logging.getLogger("prefect.workers.process.w")
    known.info("anonymous")
    known.info("known", extra={"worker_id": "w-1"})
    assert configured.messages == ["known"]


# -- to the console ---------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


def line(handler: PrefectConsoleHandler, stream: io.StringIO, message: str, level: int = logging.INFO, name="n") -> str:
    handler.handle(logging.LogRecord(name, level, "p", 1, message, (), None))
    text = stream.getvalue()
    stream.seek(0)
    stream.truncate()
    return text


@pytest.fixture(autouse=True)
def no_colour_variables(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)


def test_a_line_on_the_console_shows_time_level_and_run(capsys, in_flow_run):
    logging.root.handlers.clear()
    setup_logging()
    get_run_logger().info("let's bake")
    text = capsys.readouterr().err
    assert text[12:] == " | INFO    | Flow run 'brave-owl' - let's bake\n"
    assert text[2] == text[5] == ":" and text[8] == "."


def test_without_a_terminal_lines_are_plain():
    stream = io.StringIO()
    assert (
        line(PrefectConsoleHandler(stream), stream, "Finished in state Completed()")
        == "Finished in state Completed()\n"
    )


def test_in_a_terminal_levels_states_names_and_urls_are_coloured():
    stream = Terminal()
    handler = PrefectConsoleHandler(stream)
    handler.setFormatter(logging.Formatter("| %(levelname)-7s | %(message)s"))
    text = line(handler, stream, "flow run 'a b' of flow 'f' at https://x.io/y: Failed('no')", logging.ERROR)
    assert text == (
        "| \x1b[38;5;160mERROR\x1b[0m   | flow run \x1b[35m'a b'\x1b[0m of flow \x1b[1;35m'f'\x1b[0m at "
        "\x1b[94mhttps://x.io/y:\x1b[0m \x1b[38;5;160mFailed\x1b[0m('no')\n"
    )


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_the_environment_can_turn_colours_off(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    stream = Terminal()
    assert line(PrefectConsoleHandler(stream), stream, "Completed()") == "Completed()\n"


def test_settings_can_turn_colours_off_and_the_environment_on(monkeypatch):
    stream = Terminal()
    with temporary_settings({"logging.colors": False}):
        assert line(PrefectConsoleHandler(stream), stream, "Completed()") == "Completed()\n"
    monkeypatch.setenv("FORCE_COLOR", "1")
    stream = io.StringIO()
    assert line(PrefectConsoleHandler(stream), stream, "Completed()") == "\x1b[32mCompleted\x1b[0m()\n"


def test_styles_beyond_the_usual_colours_are_rendered():
    stream = Terminal()
    handler = PrefectConsoleHandler(stream, styles={"log.completed_state": "bold #00ff00 on blue"})
    text = line(handler, stream, "Completed()")
    assert text.startswith("\x1b[1;") and text.endswith("mCompleted\x1b[0m()\n")


def test_colouring_does_not_load_rich():
    code = (
        "import io, logging, sys\n"
        "from prefect.logging.handlers import PrefectConsoleHandler\n"
        "T = type('T', (io.StringIO,), {'isatty': lambda self: True})\n"
        "s = T(); PrefectConsoleHandler(s).handle(logging.LogRecord('n', 20, 'p', 1, 'Completed()', (), None))\n"
        "assert '\\x1b[' in s.getvalue(), s.getvalue()\n"
        "assert not [m for m in sys.modules if m == 'rich' or m.startswith('rich.')]\n"
    )
    import os
    import subprocess

    environment = {**os.environ, "TERM": "xterm"}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env=environment)


def test_markup_is_rendered_only_on_request():
    stream = Terminal()
    assert "[red]x[/red]" in line(PrefectConsoleHandler(stream), stream, "[red]x[/red]")
    with temporary_settings({"logging.markup": True}):
        text = line(PrefectConsoleHandler(stream), stream, "[bold]x[/bold]")
    assert "[bold]" not in text and "x" in text


def test_long_lines_are_not_wrapped():
    for markup in (False, True):
        stream = Terminal()
        with temporary_settings({"logging.markup": markup}):
            assert line(PrefectConsoleHandler(stream), stream, "word " * 200).count("\n") == 1


def test_a_highlighter_of_the_users_own_is_used():
    from rich.highlighter import RegexHighlighter

    class Numbers(RegexHighlighter):
        base_style = "log."
        highlights = [r"(?P<number>\d+)"]

    stream = Terminal()
    handler = PrefectConsoleHandler(stream, highlighter=Numbers, styles={"log.number": "red"})
    handler.console._force_terminal = True
    assert "\x1b[" in line(handler, stream, "about 42")


def test_the_console_follows_a_stderr_that_is_replaced(capsys):
    handler = PrefectConsoleHandler()
    handler.setFormatter(PrefectFormatter("%(message)s"))
    handler.handle(logging.LogRecord("n", 20, "p", 1, "first", (), None))
    assert capsys.readouterr().err == "first\n"
    handler.handle(logging.LogRecord("n", 20, "p", 1, "second", (), None))
    assert capsys.readouterr().err == "second\n"


def test_highlighters_find_what_the_console_colours():
    from rich.text import Text

    from prefect.logging import highlighters

    text = Text("12:00:00.000 | ERROR   | flow run 'a' at http://127.0.0.1:4200: Crashed()")
    highlighters.PrefectConsoleHighlighter().highlight(text)
    found = {str(span.style) for span in text.spans}
    assert found == {"log.error_level", "log.flow_run_name", "log.local_url", "log.crashed_state"}
    for part, style in (("LevelHighlighter", "level.error_level"), ("NameHighlighter", "name.flow_run_name"),
                        ("UrlHighlighter", "url.local_url"), ("StateHighlighter", "state.crashed_state")):  # fmt: skip
        alone = Text(text.plain)
        getattr(highlighters, part)().highlight(alone)
        assert [str(span.style) for span in alone.spans] == [style]
