"""Processes, their output and their signals."""

import io
import os
import signal
import subprocess
import sys
from functools import partial

import anyio
import pytest

from prefect.utilities.processutils import (
    command_from_string,
    command_to_string,
    forward_signal_handler,
    get_sys_executable,
    open_process,
    run_process,
    sanitize_subprocess_env,
    setup_signal_handlers_agent,
    setup_signal_handlers_server,
    setup_signal_handlers_worker,
)


def python(code):
    return [sys.executable, "-c", code]


TALKING = python("import sys; print('out'); print('err', file=sys.stderr)")


@pytest.mark.parametrize("command", [["a"], ["a", "b c"], ["a", "it's", '"quoted"'], ["C:\\x y\\z.exe", "a\\b"]])
def test_commands_become_one_line_and_parts_again(command):
    assert command_from_string(command_to_string(command)) == command


def test_the_interpreter_can_be_called():
    subprocess.run([*command_from_string(get_sys_executable()), "-c", ""], check=True)


def test_variables_that_are_none_are_left_out_and_taken_away():
    inherited = {"B": "1", "C": "2"}
    assert sanitize_subprocess_env({"A": "1", "B": None}, remove_from=inherited) == {"A": "1"}
    assert inherited == {"C": "2"}
    assert sanitize_subprocess_env(None) == {}


async def test_a_process_runs_to_its_end():
    process = await run_process(python("raise SystemExit(3)"))
    assert process.returncode == 3


async def test_output_is_passed_on_to_sinks():
    out, err = io.StringIO(), io.StringIO()
    await run_process(TALKING, stream_output=(out, err))
    assert (out.getvalue(), err.getvalue()) == ("out\n", "err\n")


async def test_output_may_go_to_one_sink_only():
    out = io.StringIO()
    await run_process(TALKING, stream_output=(out, None))
    assert out.getvalue() == "out\n"


async def test_output_is_passed_on_to_our_own(capsys):
    await run_process(TALKING, stream_output=True)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("out\n", "err\n")


async def test_output_is_dropped_unless_asked_for(capfd):
    await run_process(TALKING)
    assert capfd.readouterr() == ("", "")


async def test_output_is_passed_on_to_async_files_and_streams(tmp_path):
    async with await anyio.open_file(tmp_path / "out", "w") as file:
        send, receive = anyio.create_memory_object_stream[str](10)
        async with send, receive:
            await run_process(TALKING, stream_output=(file, send))
            # How many pieces the text comes in is up to the system.
            pieces = [receive.receive_nowait() for _ in range(receive.statistics().current_buffer_used)]
            assert "".join(pieces) == "err\n"
    assert (tmp_path / "out").read_text() == "out\n"


async def test_output_that_is_no_text_does_not_hurt():
    out = io.StringIO()
    await run_process(python(r"import sys; sys.stdout.buffer.write(b'a\xffb')"), stream_output=(out, None))
    assert out.getvalue() == "a\ufffdb"


async def test_the_start_of_a_process_is_told():
    async with anyio.create_task_group() as tasks:
        pid = await tasks.start(run_process, python(""))
        assert isinstance(pid, int)
        told = await tasks.start(
            partial(run_process, python(""), task_status_handler=lambda process: ("started", process.pid))
        )
        assert told[0] == "started"


async def test_options_reach_the_process(tmp_path):
    out = io.StringIO()
    code = "import os; print(os.environ['COLOUR'], os.getcwd())"
    await run_process(python(code), stream_output=(out, None), env={**os.environ, "COLOUR": "red"}, cwd=tmp_path)
    assert out.getvalue().split() == ["red", str(tmp_path)]


async def test_a_cancelled_run_ends_its_process():
    with anyio.move_on_after(0.5):
        async with open_process(python("import time; time.sleep(60)")) as process:
            await process.wait()
    assert process.returncode is not None
    assert process.returncode != 0


async def test_a_process_is_waited_for():
    async with open_process(python("")) as process:
        pass
    assert process.returncode == 0


async def test_a_command_has_to_be_a_list():
    with pytest.raises(TypeError, match="'ls -l'"):
        async with open_process("ls -l"):
            pass


# --- signals ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def other_process():
    """A process that says which signals it gets, and does not end by them."""
    code = (
        "import signal, sys, time\n"
        "for name in ('SIGINT', 'SIGTERM'):\n"
        "    signal.signal(getattr(signal, name), lambda number, _: print(signal.Signals(number).name, flush=True))\n"
        "print('ready', flush=True)\n"
        "while True: time.sleep(0.01)\n"
    )
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    process = subprocess.Popen(python(code), stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_signal_is_passed_on(other_process):
    said = []
    forward_signal_handler(other_process.pid, signal.SIGTERM, process_name="the other", print_fn=said.append)
    os.kill(os.getpid(), signal.SIGTERM)
    assert other_process.stdout.readline() == "SIGTERM\n"
    os.kill(os.getpid(), signal.SIGTERM)
    assert other_process.stdout.readline() == "SIGTERM\n"
    assert "SIGTERM" in said[0] and "the other" in said[0] and str(other_process.pid) in said[0]


@pytest.mark.parametrize("received", [signal.SIGINT, signal.SIGTERM])
def test_a_server_is_interrupted_then_terminated(other_process, received):
    setup_signal_handlers_server(other_process.pid, "the server", lambda text: None)
    os.kill(os.getpid(), received)
    assert other_process.stdout.readline() == "SIGINT\n"
    os.kill(os.getpid(), received)
    assert other_process.stdout.readline() == "SIGTERM\n"


@pytest.mark.parametrize("setup", [setup_signal_handlers_worker, setup_signal_handlers_agent])
def test_a_worker_is_interrupted_then_killed(other_process, setup):
    setup(other_process.pid, "the worker", lambda text: None)
    os.kill(os.getpid(), signal.SIGTERM)
    assert other_process.stdout.readline() == "SIGINT\n"
    os.kill(os.getpid(), signal.SIGTERM)
    assert other_process.wait(30) == -signal.SIGKILL


def test_a_process_that_has_ended_is_left_alone(other_process):
    forward_signal_handler(other_process.pid, signal.SIGTERM, process_name="gone", print_fn=lambda text: None)
    other_process.kill()
    other_process.wait()
    os.kill(os.getpid(), signal.SIGTERM)
