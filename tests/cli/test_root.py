"""What holds for every call of the command line."""

import json
import sys
import types

import click
import pytest

from prefect._version import __version__
from prefect.cli import _output, _params, _session, root
from prefect.cli._commands import TableGroup, command, command_group
from prefect.cli._runner import invoke
from prefect.cli.table import COMMANDS, CommandEntry


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch):
    """A group of commands, `probe`, in the place of all others."""
    group = command_group("probe", "Probe.")
    module = types.ModuleType("probe_commands")
    module.probe = group  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "probe_commands", module)
    table = {"probe": CommandEntry("probe_commands:probe", "Probe things.", ("probes",))}
    monkeypatch.setattr(CommandEntry, "exists", True)
    params = root.root.params
    monkeypatch.setattr(root, "root", TableGroup("prefect", table=table, help="Test.", params=params))
    return group


def test_a_bare_call_lists_the_commands():
    for arguments in ([], ["--help"]):
        result = invoke(arguments)
        assert (result.exit_code, result.stderr) == (0, "")
        assert "config" in result.stdout and "profile" in result.stdout


@pytest.mark.parametrize("arguments", [["config"], ["config", "--help"], ["profiles"]])
def test_a_group_alone_shows_its_commands(arguments: list[str]):
    result = invoke(arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Session options" in result.stdout and "--profile" in result.stdout


def test_only_commands_that_exist_are_known():
    table = {"there": CommandEntry("json:dumps", "There."), "gone": CommandEntry("no_such_module:x", "Gone.")}
    assert list(TableGroup("x", table=table).table) == ["there"]


def test_the_table_has_every_published_name():
    published = (
        "api artifact automation block cloud concurrency-limit config dashboard deploy deployment dev events experimental"
        " flow flow-run global-concurrency-limit init plugins profile sdk server shell task task-run transfer variable"
        " version work-pool work-queue worker"
    )
    assert set(published.split()) <= set(COMMANDS)
    aliases = {alias: name for name, entry in COMMANDS.items() for alias in entry.aliases}
    assert aliases == {
        "deployments": "deployment",
        "flows": "flow",
        "flow-runs": "flow-run",
        "task-runs": "task-run",
        "work-pools": "work-pool",
        "work-queues": "work-queue",
        "blocks": "block",
        "automations": "automation",
        "event": "events",
        "concurrency-limits": "concurrency-limit",
        "gcl": "global-concurrency-limit",
        "profiles": "profile",
    }


def test_a_misspelt_command_is_guessed():
    for arguments, guess in ((["profil", "ls"], "'profile'"), (["config", "veiw"], "'view'")):
        result = invoke(arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"Did you mean {guess}?" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nope"],
        ["config", "view", "--nope"],
        ["config", "set"],
        ["profile", "rename", "a"],
        ["nonsense"],
        ["--profile"],
    ],
)
def test_a_wrong_call_is_2_and_on_stderr(arguments: list[str]):
    result = invoke(arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


def test_success_is_0_and_failure_is_1_on_stdout(probe: click.Group):
    @probe.command("good")
    def good() -> None:
        _output.success("done")

    @probe.command("bad")
    def bad() -> None:
        _output.fail("no such thing")

    assert invoke(["probe", "good"]) == (0, "done\n", "")
    assert invoke(["probes", "bad"]) == (1, "no such thing\n", "")


def test_a_command_may_choose_its_exit_code(probe: click.Group):
    @probe.command("ends")
    def ends() -> None:
        _output.fail("unauthorised", exit_code=3)

    @probe.command("exits")
    def exits() -> None:
        click.get_current_context().exit(7)

    assert invoke(["probe", "ends"]).exit_code == 3
    assert invoke(["probe", "exits"]).exit_code == 7


def test_an_unexpected_error_is_a_traceback_and_one_line(probe: click.Group, monkeypatch: pytest.MonkeyPatch):
    @probe.command("crash")
    def crash() -> None:
        raise RuntimeError("ouch")

    result = invoke(["probe", "crash"])
    assert (result.exit_code, result.stdout) == (1, "An exception occurred: RuntimeError: ouch\n")
    assert "Traceback" in result.stderr
    monkeypatch.setenv("PREFECT_TEST_MODE", "1")
    with pytest.raises(RuntimeError, match="ouch"):
        invoke(["probe", "crash"])


def test_an_interrupted_command_is_1(probe: click.Group):
    @probe.command("wait")
    def wait() -> None:
        raise KeyboardInterrupt

    result = invoke(["probe", "wait"])
    assert (result.exit_code, result.stdout.strip(), "Traceback" in result.stderr) == (1, "Aborted.", False)


def test_what_the_api_says_is_shown_as_it_is(probe: click.Group):
    httpx = pytest.importorskip("httpx")

    @probe.command("ask")
    @click.argument("status", type=int)
    def ask(status: int) -> None:
        response = httpx.Response(
            status, json={"detail": "This name is taken."}, request=httpx.Request("GET", "http://x")
        )
        response.raise_for_status()

    assert invoke(["probe", "ask", "409"]) == (1, "This name is taken.\n", "")


def test_an_unreachable_api_is_named(probe: click.Group):
    httpx = pytest.importorskip("httpx")

    @probe.command("ask")
    def ask() -> None:
        raise httpx.ConnectError("refused", request=httpx.Request("GET", "http://nowhere/api/health"))

    result = invoke(["probe", "ask"])
    assert (result.exit_code, result.stderr) == (1, "")
    assert "Cannot reach the API at http://nowhere/api/health: refused." in result.stdout


# -- options for the whole call ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "profile", "prompt", "version", "rest"),
    [
        (["--profile", "x", "config", "view"], "x", None, False, ["config", "view"]),
        (["-p", "x", "config", "view"], "x", None, False, ["config", "view"]),
        (["config", "view", "--profile=x"], "x", None, False, ["config", "view"]),
        (["worker", "start", "-p", "pool"], None, None, False, ["worker", "start", "-p", "pool"]),
        (["config", "unset", "X", "--no-prompt"], None, False, False, ["config", "unset", "X"]),
        (["--prompt", "config"], None, True, False, ["config"]),
        (["--no-prompt", "--version"], None, False, True, []),
        (["deploy", "--version", "1", "-v"], None, None, False, ["deploy", "--version", "1", "-v"]),
        (["shell", "watch", "--", "--profile", "x"], None, None, False, ["shell", "watch", "--", "--profile", "x"]),
    ],
)
def test_options_for_the_whole_call_are_taken_out(
    arguments: list[str], profile: str | None, prompt: bool | None, version: bool, rest: list[str]
):
    assert _session.split_session_options(arguments) == (profile, prompt, version, rest)


def test_the_version_is_shown_after_other_options_too():
    assert invoke(["--no-prompt", "-v"]) == (0, f"{__version__}\n", "")


def test_a_profile_applies_to_the_call(probe: click.Group):
    from prefect.settings import get_current_settings

    @probe.command("url")
    def url() -> None:
        _output.echo(str(get_current_settings().api.url))

    for arguments in (["-p", "local", "probe", "url"], ["--profile", "local", "probe", "url"]):
        assert invoke(arguments).stdout == "http://127.0.0.1:4200/api\n"
    assert invoke(["probe", "url", "--profile=local"]).stdout == "http://127.0.0.1:4200/api\n"
    assert invoke(["probe", "url"]).stdout == "None\n"


@pytest.mark.parametrize("spelling", [["-p", "local"], ["--profile", "local"]])
def test_the_environment_beats_the_profile_of_the_call(spelling: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://environment/api")
    result = invoke([*spelling, "config", "view"])
    assert "PREFECT_API_URL='http://environment/api' (from env)" in result.stdout
    assert "PREFECT_PROFILE='local'" in result.stdout


@pytest.mark.parametrize("spelling", [["-p", "nope"], ["--profile", "nope"]])
def test_an_unknown_profile_is_an_error(spelling: list[str]):
    assert invoke([*spelling, "config", "view"]) == (1, "", "Unknown profile 'nope'.\n")


def test_questions_are_asked_only_where_somebody_answers(probe: click.Group, monkeypatch: pytest.MonkeyPatch):
    @probe.command("destroy")
    @_params.yes()
    def destroy(yes: bool) -> None:
        _output.confirm_or_abort("Sure?", yes)
        _output.success("gone")

    assert invoke(["probe", "destroy"]) == (0, "gone\n", "")
    agreed = invoke(["probe", "destroy", "--prompt"], input="y\n")
    assert agreed.exit_code == 0 and "Sure? [y/N]" in agreed.stdout
    declined = invoke(["probe", "destroy", "--prompt"], input="n\n")
    assert (declined.exit_code, "gone" in declined.stdout, "Aborted." in declined.stdout) == (1, False, True)
    assert "Sure?" not in invoke(["probe", "destroy", "--prompt", "-y"]).stdout
    monkeypatch.setenv("PREFECT_CLI_PROMPT", "true")
    assert invoke(["probe", "destroy"], input="n\n").exit_code == 1
    assert invoke(["probe", "destroy", "--no-prompt"]).exit_code == 0


def test_a_question_without_an_answer_aborts(probe: click.Group):
    @probe.command("ask")
    def ask() -> None:
        _output.confirm("Sure?")

    assert invoke(["probe", "ask"]).exit_code == 1


# -- parameters --------------------------------------------------------------------------------------------------------


@pytest.fixture
def echoing(probe: click.Group):
    @probe.command("rename")
    @_params.argument("old", "--old", "The name.")
    @_params.argument("new", "--new", "The new name.", required=False)
    @_params.repeatable("--tag", "-t", help="A tag.")
    @_params.option("--job-variable", "-jv", help="A variable.")
    @_params.switch("--force", help="Do it.")
    def rename(**values: object) -> None:
        _output.print_json(values)

    @probe.command("many")
    @_params.argument("names", "--names", "Names.", many=True)
    def many(names: tuple[str, ...]) -> None:
        _output.print_json(list(names))

    def call(*arguments: str):
        result = invoke(["probe", *arguments])
        return json.loads(result.stdout) if result.exit_code == 0 else result

    return call


def test_an_argument_may_be_given_by_name(echoing):
    assert echoing("rename", "a", "b") == echoing("rename", "--old", "a", "--new", "b")
    swapped = echoing("rename", "b", "--old=a")
    assert (swapped["old"], swapped["new"]) == ("a", "b")
    assert echoing("rename", "a")["new"] is None
    assert "Missing argument" in echoing("rename").stderr
    assert echoing("many", "a", "b") == echoing("many", "--names", "a", "--names", "b") == ["a", "b"]
    assert echoing("many").exit_code == 2


def test_a_list_can_be_emptied(echoing):
    assert echoing("rename", "a", "-t", "x", "--tag", "y")["tag"] == ["x", "y"]
    assert echoing("rename", "a", "-t", "x", "--empty-tag")["tag"] == []
    assert echoing("rename", "a", "-t", "x", "--empty-tag", "-t", "z")["tag"] == ["z"]
    assert echoing("rename", "a")["tag"] == []


def test_short_options_may_have_several_letters(echoing):
    assert echoing("rename", "a", "-jv", "k=v")["job_variable"] == "k=v"


def test_switches_have_an_opposite(echoing):
    assert echoing("rename", "a", "--force")["force"] is True
    assert echoing("rename", "a", "--force", "--no-force")["force"] is False


def test_arguments_are_explained_in_the_help(echoing):
    text = invoke(["probe", "rename", "--help"]).stdout
    assert "OLD  --old" in text and "The new name." in text and "--empty-tag" not in text


def test_json_is_the_only_other_format(probe: click.Group):
    @probe.command("show")
    @_params.output()
    def show(as_json: bool) -> None:
        _output.print_json({"é": 1}) if as_json else _output.echo("text")

    assert invoke(["probe", "show", "-o", "JSON"]).stdout == '{\n  "é": 1\n}\n'
    assert invoke(["probe", "show"]).stdout == "text\n"
    wrong = invoke(["probe", "show", "--output", "yaml"])
    assert (wrong.exit_code, wrong.stdout) == (1, "Output format 'yaml' is not supported. Only 'json' is.\n")


def test_a_single_command_can_stand_below_the_root(monkeypatch: pytest.MonkeyPatch, probe: click.Group):
    @command("solo")
    @_params.argument("word", "--word", "A word.")
    def solo(word: str) -> None:
        """Say a word."""
        _output.echo(word)

    monkeypatch.setitem(root.root.table, "solo", CommandEntry("probe_commands:solo", "Say a word."))
    monkeypatch.setattr(sys.modules["probe_commands"], "solo", solo, raising=False)
    assert invoke(["solo", "hello"]).stdout == "hello\n"
    assert "Say a word." in invoke(["solo", "--help"]).stdout
