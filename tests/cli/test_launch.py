"""The `prefect` command as a process of its own."""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from prefect._version import __version__

COMMAND = Path(sysconfig.get_path("scripts")) / "prefect"


def prefect(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, env=os.environ | environment)


def test_the_version_is_that_of_the_project():
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    found = re.search(r'^version = "(.*)"$', project, re.MULTILINE)
    assert found is not None and found[1] == __version__


@pytest.mark.parametrize("flag", ["--version", "-v"])
def test_the_version_is_printed_alone(flag: str):
    result = prefect(flag)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{__version__}\n", "")


def test_the_version_loads_no_library():
    program = (
        "import sys; sys.argv = ['prefect', '--version']\n"
        "from prefect._launch import main; main()\n"
        "print(sorted({'click', 'pydantic', 'prefect.settings', 'prefect.cli'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout == f"{__version__}\n[]\n", result.stderr


def test_the_overview_loads_no_commands_and_no_settings():
    program = (
        "import sys\n"
        "from prefect.cli.root import run\n"
        "assert run([]) == 0\n"
        "heavy = {'pydantic', 'prefect.settings', 'rich', 'httpx', 'prefect.cli.config', 'prefect.cli.profile'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.endswith("\n[]\n"), result.stderr


def test_one_command_loads_no_other_and_no_rich_for_plain_lines():
    program = (
        "import sys\n"
        "from prefect.cli.root import run\n"
        "assert run(['config', 'view']) == 0\n"
        "print(sorted({'rich', 'httpx', 'tomlkit', 'prefect.cli.profile'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.endswith("\n[]\n"), result.stderr


def test_it_runs_as_a_module_too():
    result = subprocess.run([sys.executable, "-m", "prefect", "config", "view"], capture_output=True, text=True)
    assert (result.returncode, result.stdout.splitlines()[0]) == (0, "PREFECT_PROFILE='ephemeral'")


def test_exit_codes_and_streams_reach_the_shell():
    assert prefect("config", "view").returncode == 0
    failed = prefect("profile", "inspect", "nope")
    assert (failed.returncode, failed.stdout, failed.stderr) == (1, "Profile 'nope' not found.\n", "")
    misused = prefect("confg")
    assert (misused.returncode, misused.stdout) == (2, "")
    assert "Did you mean 'config'?" in misused.stderr


@pytest.mark.parametrize("arguments", [["config", "view"], ["version"], ["profile", "use", "local"]])
def test_bad_settings_are_one_message_without_traceback(arguments: list[str]):
    result = prefect(*arguments, PREFECT_SERVER_API_PORT="abc")
    assert result.returncode == 1
    assert result.stderr == ""
    assert result.stdout.startswith("PREFECT_SERVER_API_PORT='abc' is not valid: Input should be a valid integer")


def test_a_broken_file_is_one_message_without_traceback():
    Path("prefect.toml").write_text("[api\n")
    result = prefect("config", "view")
    assert (result.returncode, result.stderr) == (1, "")
    assert "'prefect.toml'" in result.stdout and "invalid TOML" in result.stdout


def test_a_reader_that_goes_away_is_no_accident():
    process = subprocess.Popen(
        [COMMAND, "config", "view", "--show-defaults"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    process.wait(timeout=30)
    with process.stderr:
        assert "Traceback" not in process.stderr.read()


def test_warnings_are_shown_without_code(tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "profiles.toml").write_text('[profiles.ephemeral]\nPREFECT_NOPE = "1"\n')
    result = prefect("config", "view")
    assert result.returncode == 0
    assert result.stderr == "Warning: 'PREFECT_NOPE' in profile 'ephemeral' is not a setting. It is ignored.\n"


def test_ctrl_c_while_the_command_line_loads_ends_it_without_a_traceback():
    program = (
        "import os, signal, sys\n"
        "from prefect._launch import main\n"
        "class Interrupts:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'click':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupts())\n"
        "sys.argv = ['prefect', 'version']\n"
        "sys.exit(main())"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (1, "Aborted.\n", "")
