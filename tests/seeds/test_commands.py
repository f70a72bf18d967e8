"""The printed command lines: those of commands that exist run, and say what the text says."""

import re
from uuid import UUID

import pytest
from tests.seeds._running import Shell, put, snippet

from prefect import flow, task
from prefect.client.orchestration import get_client


def command_lines(name: str) -> list[str]:
    """The command lines of an example, each on one line, without comments."""
    text = snippet(name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [re.sub(r"(^|\s+)#.*$", "", line).strip() for line in text.splitlines()]
    return [re.sub(r"\s+", " ", line) for line in lines if line]


def test_the_version_is_shown_as_the_proof_of_an_installation(shell: Shell):
    line = command_lines("verify_installation")[-1]
    assert line == "python -m prefect version"
    ran = shell.bash(line)
    assert (ran.code, ran.errors) == (0, "")
    assert re.search(r"^Version: +3\.8\.8", ran.output)


def test_settings_can_be_seen_and_set(shell: Shell):
    view, change = [line for line in command_lines("cli_commands") if " config " in line]
    assert "PREFECT_API_URL" not in shell.bash(view).output
    changed = shell.bash(change)
    assert (changed.code, changed.errors) == (0, "")
    assert "PREFECT_API_URL='http://localhost:4200/api' (from profile)" in shell.bash(view).output


def test_an_exported_address_is_seen_with_where_it_comes_from(shell: Shell):
    export, view = command_lines("connection")[1:]
    ran = shell.bash(f"{export}\n{view}")
    assert (ran.code, ran.errors) == (0, "")
    assert "PREFECT_API_URL='http://localhost:4200/api' (from env)" in ran.output


def test_the_named_variables_are_settings(shell: Shell):
    ran = shell.bash(f"set -a; . {snippet('environment')}; prefect config view", HOME=str(shell.folder))
    assert (ran.code, ran.errors) == (0, "")
    for setting in (
        "PREFECT_API_URL='http://localhost:4200/api'",
        "PREFECT_LOGGING_LEVEL='INFO'",
        "PREFECT_LOGGING_COLORS='true'",
        f"PREFECT_HOME='{shell.folder}/.prefect'",
    ):
        assert f"{setting} (from env)" in ran.output


def test_flows_that_ran_are_listed(shell: Shell):
    @flow(name="nightly")
    def nightly():
        pass

    nightly()
    ran = shell.bash(next(line for line in command_lines("cli_commands") if "flow ls" in line))
    assert (ran.code, ran.errors) == (0, "")
    assert "nightly" in ran.output


def test_limits_on_tags_are_made_listed_and_kept(shell: Shell):
    for line in command_lines("tag_limits"):
        ran = shell.bash(line)
        assert (ran.code, ran.errors) == (0, "")
    assert re.search(r"database-writes .* 10 ", ran.output)
    assert re.search(r"third-party-api .* 3 ", ran.output)
    active: list[UUID] = []

    @task(tags=["third-party-api"])
    def call():
        with get_client(sync_client=True) as client:
            active.extend(client.read_concurrency_limit_by_tag("third-party-api").active_slots)

    @flow
    def calls():
        call()

    calls()
    assert len(active) == 1


# -- commands that are not there yet -----------------------------------------------------------------------------------

FINISHING = [
    ("cloud_login", "prefect cloud login", "prefect cloud is the vendor's service"),
    ("work_pools", "prefect work-pool create --type process default-process-pool", None),
    ("work_pools", "prefect work-pool create --type kubernetes k8s-pool", None),
    ("worker", "prefect work-pool ls", None),
    ("cli_commands", "prefect deployment ls", None),
]


def _waits(why: str | None):
    return pytest.mark.xfail(strict=True, reason=why) if why else ()


@pytest.mark.parametrize(
    ("name", "line"),
    [pytest.param(name, line, marks=_waits(why)) for name, line, why in FINISHING],
)
def test_a_command_ends_well(shell: Shell, name: str, line: str):
    assert line in command_lines(name)
    assert shell.bash(line).code == 0


STAYING = [
    ("self_hosted_server", "prefect server start", "4200", None),
    ("work_pools", "prefect worker start --pool k8s-pool", "started", "needs the package prefect-kubernetes"),
]


@pytest.mark.parametrize(
    ("name", "line", "says"),
    [pytest.param(*case, marks=_waits(why)) for *case, why in STAYING],
)
def test_a_command_starts_something_that_stays(shell: Shell, name: str, line: str, says: str):
    assert line in command_lines(name)
    with shell.started(line, says):
        pass


WORKERS = [
    ("cli_commands", "prefect worker start --pool my-work-pool"),
    ("work_pools", "prefect worker start --pool default-process-pool"),
    ("worker", "prefect worker start --pool default-pool --type process"),
]


def test_workers_of_pools_are_started(shell: Shell):
    address = {"PREFECT_API_URL": "http://localhost:4200/api"}
    with shell.started("prefect server start", "4200"):
        for name, line in WORKERS:
            assert line in command_lines(name)
            pool = line.split()[4]
            assert shell.bash(f"prefect work-pool create --type process {pool}", **address).code == 0
            with shell.started(line, "started", **address):
                pass


MY_SCRIPT = "from prefect import flow\n\n@flow\ndef my_flow(param1: str = ''): ...\n"


def test_a_deployment_is_made_run_and_scheduled_from_the_command_line(shell: Shell):
    lines = command_lines("cli_commands")
    deploy, run, schedule = (
        next(line for line in lines if line.startswith(start))
        for start in ("prefect deploy ", "prefect deployment run", "prefect deployment schedule create")
    )
    (shell.folder / "my_script.py").write_text(MY_SCRIPT, encoding="utf-8")
    assert shell.bash("prefect work-pool create --type process my-work-pool").code == 0
    # The flow's own name is my-flow; the text deploys it under the same name.
    for line in (deploy, run, schedule):
        ran = shell.bash(line)
        assert ran.code == 0, ran.errors
    listed = shell.bash("prefect deployment schedule ls my-flow/my-deployment").output
    assert "0 8 * * *" in listed


@pytest.mark.xfail(
    strict=True, reason="runs are sorted by CREATED_DESC, which is no order of runs, as in release 3.8.8"
)
def test_a_run_is_created_over_rest(shell: Shell):
    text = snippet("rest_api").read_text(encoding="utf-8")
    (shell.folder / "my_script.py").write_text(MY_SCRIPT, encoding="utf-8")
    with shell.started("prefect server start", "4200"):
        address = {"PREFECT_API_URL": "http://localhost:4200/api"}
        assert shell.bash("prefect work-pool create --type process my-work-pool", **address).code == 0
        deploy = next(line for line in command_lines("cli_commands") if line.startswith("prefect deploy "))
        assert shell.bash(deploy, **address).code == 0
        code = "from prefect.client.orchestration import get_client as g\nwith g(sync_client=True) as c:\n"
        code += " print(c.read_deployment_by_name('my-flow/my-deployment').id)"
        deployment = shell.python("-c", code, **address).output.strip()
        ran = shell.bash(text.replace("your-deployment-id", deployment).replace("curl ", "curl --fail --silent "))
    assert ran.code == 0, ran.errors
    assert "manual" in ran.output


def test_a_deployment_is_described_in_yaml(shell: Shell):
    (shell.folder / "flows").mkdir()
    (shell.folder / "flows" / "my_flow.py").write_text(MY_SCRIPT, encoding="utf-8")
    (shell.folder / "prefect.yaml").write_text(snippet("deployment").read_text(encoding="utf-8"), encoding="utf-8")
    assert shell.bash("prefect work-pool create --type docker k8s-pool").code == 0
    ran = shell.bash("prefect deploy --name prod")
    assert ran.code == 0, ran.errors
    assert "0 6 * * *" in shell.bash("prefect deployment schedule ls my-flow/prod").output


def test_background_tasks_run_in_a_task_worker(shell: Shell):
    put(shell, "background_tasks", "signup.py")
    with shell.started("prefect server start", "4200"):
        address = {"PREFECT_API_URL": "http://localhost:4200/api"}
        serve = "python -c 'import signup, prefect; prefect.task_worker.serve(signup.send_welcome_email)'"
        with shell.started(serve, "send_welcome_email", **address) as worker:
            code = "import signup; signup.handle_user_signup({'id': 'u1', 'email': 'ada@example.com'})"
            assert shell.python("-c", code, **address).code == 0
            worker.until("Sending welcome email to ada@example.com")
