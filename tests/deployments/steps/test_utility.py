"""Steps that run commands."""

from __future__ import annotations

import asyncio

import pytest

from prefect.deployments.steps import pip_install_requirements, run_shell_script


def ran(script: str, **options):
    return asyncio.run(run_shell_script(script, **options))


class TestShellScript:
    def test_each_line_is_a_command(self, capfd):
        script = "echo one\n\n  # a comment\necho two \\\n  three\nsh -c 'echo four >&2'"
        assert ran(script) == {"stdout": "one\ntwo three", "stderr": "four"}
        printed = capfd.readouterr()
        assert printed.out == "one\ntwo three\n" and printed.err == "four\n"

    def test_it_may_be_quiet(self, capfd):
        assert ran("echo one", stream_output=False)["stdout"] == "one"
        assert capfd.readouterr().out == ""

    def test_operators_need_a_shell(self):
        assert ran("echo a && echo b")["stdout"] == "a && echo b"
        assert ran("echo a && echo b", shell=True)["stdout"] == "a\nb"
        assert ran("cd / && pwd\necho $WHO", shell=True, env={"WHO": "me"})["stdout"] == "/\nme"

    def test_it_runs_where_it_is_told_with_variables_that_it_is_given(self, tmp_path, monkeypatch):
        monkeypatch.setenv("OUTER", "outer")
        result = ran('sh -c "pwd; echo $OUTER $INNER"', directory=str(tmp_path), env={"INNER": "inner"})
        assert result["stdout"] == f"{tmp_path}\nouter inner"

    def test_variables_are_expanded_only_if_wanted(self):
        script = "echo $INNER ${INNER} $NOBODY"
        assert ran(script, env={"INNER": "inner"})["stdout"] == script.removeprefix("echo ")
        assert ran(script, env={"INNER": "inner"}, expand_env_vars=True)["stdout"] == "inner inner $NOBODY"

    def test_the_first_failure_ends_it(self, tmp_path):
        with pytest.raises(RuntimeError, match="`run_shell_script` failed with error code 3: oops"):
            ran(f"sh -c 'echo oops >&2; exit 3'\ntouch {tmp_path}/later")
        assert not (tmp_path / "later").exists()

    def test_a_command_that_is_not_there_is_named(self):
        with pytest.raises(FileNotFoundError, match="There is no command 'cd'.*`shell: true`"):
            ran("cd /")

    def test_a_directory_that_is_not_there_is_named(self):
        with pytest.raises(FileNotFoundError, match="There is no directory '/nowhere'"):
            ran("echo", directory="/nowhere")

    def test_it_ends_when_it_is_cancelled(self):
        async def cancelled():
            running = asyncio.ensure_future(run_shell_script("sh -c 'echo started; exec sleep 600'"))
            await asyncio.sleep(0)
            await asyncio.wait([running], timeout=0.2)
            running.cancel()
            await asyncio.wait_for(asyncio.gather(running, return_exceptions=True), 10)

        asyncio.run(cancelled())


class TestInstallRequirements:
    @pytest.fixture(autouse=True)
    def ask_no_index(self, monkeypatch):
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("UV_NO_INDEX", "1")

    @pytest.mark.slow
    def test_the_installer_is_given_the_file(self, tmp_path):
        (tmp_path / "needed.txt").write_text("# nothing\n")
        result = asyncio.run(pip_install_requirements(directory=str(tmp_path), requirements_file="needed.txt"))
        assert set(result) == {"stdout", "stderr"}

    def test_a_failure_shows_what_the_installer_says(self, tmp_path):
        with pytest.raises(
            RuntimeError, match=r"pip_install_requirements failed with error code(.|\n)*requirements.txt"
        ):
            asyncio.run(pip_install_requirements(directory=str(tmp_path)))
