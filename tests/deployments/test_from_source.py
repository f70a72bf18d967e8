"""Flows whose code is elsewhere: real repositories and folders, loaded, called and deployed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.runner.git_repositories import Repository

from prefect import flow
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import MissingFlowError
from prefect.filesystems import LocalFileSystem
from prefect.flows import Flow
from prefect.runner.storage import GitRepository, LocalStorage
from prefect.types.entrypoint import EntrypointType
from prefect.utilities.annotations import freeze

FLOWS = {
    "flows/etl.py": (
        "from flows.steps import double\n"
        "from prefect import flow\n\n"
        "@flow(name='remote', version='3')\n"
        "def etl(x: int = 1):\n    '''Moves.'''\n    return double(x)\n"
    ),
    "flows/steps.py": "def double(x):\n    return 2 * x\n",
    "flows/__init__.py": "",
    "alone.py": "from prefect import flow\n@flow\ndef alone():\n    return 'alone'\n",
}


@pytest.fixture(autouse=True)
def alone_here(monkeypatch, tmp_path):
    """No configuration of git's, and no modules or paths that a test leaves behind."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setattr(sys, "path", list(sys.path))
    modules = set(sys.modules)
    yield
    for name in set(sys.modules) - modules:
        if name.partition(".")[0] in ("flows", "alone"):
            del sys.modules[name]


@pytest.fixture
def repository(tmp_path) -> Repository:
    repository = Repository(tmp_path / "remote")
    repository.push(FLOWS)
    return repository


@pytest.fixture
def directory(tmp_path) -> Path:
    directory = tmp_path / "code"
    for name, content in FLOWS.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(content)
    return directory


# -- loading -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entrypoint", ["flows/etl.py:etl", "flows.etl.etl", "flows.etl:etl"])
def test_a_flow_of_a_repository_is_loaded_and_can_be_called(home, repository, entrypoint):
    loaded = flow.from_source(repository.url, entrypoint)
    assert (loaded.name, loaded.version, loaded.description) == ("remote", "3", "Moves.")
    assert loaded(21) == 42
    assert not [entry for entry in sys.path if "prefect-source-" in entry]


def test_the_newest_code_is_loaded_each_time(home, repository):
    assert flow.from_source(repository.url, "flows.etl.etl")(1) == 2
    repository.push({"flows/steps.py": "def double(x):\n    return 'changed'\n"})
    assert flow.from_source(repository.url, "flows.etl.etl")(1) == "changed"


def test_a_module_of_the_same_name_that_was_imported_before_stays(home, repository, folder, monkeypatch):
    (folder / "alone.py").write_text("from prefect import flow\n@flow\ndef alone():\n    return 'mine'\n")
    monkeypatch.syspath_prepend(folder)
    import alone

    assert flow.from_source(repository.url, "alone.alone")() == "alone"
    assert sys.modules["alone"] is alone


@pytest.mark.parametrize("as_given", [str, Path, lambda path: LocalStorage(str(path)), lambda path: path.as_uri()])
def test_local_code_is_loaded_where_it_is(home, directory, as_given):
    loaded = flow.from_source(as_given(directory), "alone.py:alone")
    assert loaded() == "alone"
    assert Path(loaded.fn.__code__.co_filename) == directory / "alone.py"


def test_a_block_may_hold_the_code(home, directory):
    block = LocalFileSystem(basepath=str(directory))
    block.save("code")
    loaded = Flow.from_source(block, "alone.py:alone")
    assert loaded() == "alone"
    assert loaded.to_deployment("d").storage.to_pull_step() == {
        "prefect.deployments.steps.pull_with_block": {
            "block_type_slug": "local-file-system",
            "block_document_name": "code",
        }
    }


async def test_async_code_awaits_it(home, repository):
    loaded = await flow.from_source(repository.url, "alone.py:alone")
    assert (await Flow.afrom_source(repository.url, "alone.py:alone"))() == loaded() == "alone"
    assert Flow.from_source(repository.url, "alone.py:alone", _sync=True)() == "alone"


@pytest.mark.parametrize("source", [3, None, ["https://github.com/org/repo.git"]])
def test_another_source_is_refused(source):
    with pytest.raises(TypeError, match="Unsupported source"):
        flow.from_source(source, "alone.py:alone")


def test_what_is_not_there_is_named(directory):
    with pytest.raises(MissingFlowError, match="'nothing'"):
        flow.from_source(directory, "alone.py:nothing")
    with pytest.raises(FileNotFoundError, match="nowhere.py"):
        flow.from_source(directory, "nowhere.py:alone")
    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        flow.from_source(directory, "nowhere.alone")
    with pytest.raises(RuntimeError, match="clone"):
        flow.from_source((directory / "nothing.git").as_uri(), "alone.py:alone")


# -- deploying -----------------------------------------------------------------------------------------------------------


def test_a_deployment_of_it_says_where_the_code_is(repository):
    made = flow.from_source(repository.url, "flows.etl:etl").to_deployment("d", parameters={"x": freeze(3)})
    assert (made.full_name, made.entrypoint, made.entrypoint_type) == (
        "remote/d",
        "flows.etl:etl",
        EntrypointType.MODULE_PATH,
    )
    assert made.storage == GitRepository(repository.url)
    assert made._path == "$STORAGE_BASE_PATH/code"
    assert (made.version, made.parameters) == ("3", {"x": 3})
    assert made._parameter_openapi_schema.properties["x"]["enum"] == [3]


def test_with_options_keeps_where_the_code_is(repository):
    made = flow.from_source(repository.url, "alone.py:alone").with_options(name="renamed").to_deployment("d")
    assert (made.full_name, made.entrypoint, made.storage) == (
        "renamed/d",
        "alone.py:alone",
        GitRepository(repository.url),
    )


def test_a_deployment_is_made_of_a_storage(repository):
    storage = GitRepository(repository.url, branch="main", name="checkout")
    made = RunnerDeployment.from_storage(storage, "flows.etl.etl", "d.py", flow_name="other", tags=["t"])
    assert (made.full_name, made.entrypoint, made.tags, made.storage) == ("other/d", "flows.etl.etl", ["t"], storage)
    assert made._path == "$STORAGE_BASE_PATH/checkout"


async def test_async_code_awaits_a_deployment_of_a_storage(directory):
    storage = LocalStorage(str(directory))
    made = await RunnerDeployment.from_storage(storage, "alone.py:alone", "d", interval=60)
    assert made == await RunnerDeployment.afrom_storage(storage, "alone.py:alone", "d", schedules=made.schedules)
    assert made._path == str(directory)


def test_workers_pull_it_and_servers_of_the_deployment_have_it(client, repository):
    from prefect.client.schemas.actions import WorkPoolCreate

    client.create_work_pool(WorkPoolCreate(name="pool", type="test"))
    steps = [{"prefect.deployments.steps.git_clone": {"repository": repository.url, "branch": None}}]
    loaded = flow.from_source(repository.url, "alone.py:alone")
    for _ in ("new", "stored"):
        served = client.read_deployment(loaded.to_deployment("served").apply())
        assert (served.path, served.pull_steps or []) == ("$STORAGE_BASE_PATH/code", [])
        pooled = client.read_deployment(loaded.deploy("pooled", "pool", print_next_steps=False))
        assert (pooled.path, pooled.pull_steps, pooled.entrypoint) == (None, steps, "alone.py:alone")


def test_a_deployment_follows_its_code_to_another_place(client, repository, directory):
    flow.from_source(repository.url, "alone.py:alone").to_deployment("d").apply()
    id = flow.from_source(directory, "alone.py:alone").to_deployment("d").apply()
    assert client.read_deployment(id).path == str(directory)


def test_its_packages_need_not_be_here(repository):
    repository.push({"heavy.py": "import a_missing_package\nfrom prefect import flow\n@flow\ndef heavy(x: int): ...\n"})
    made = flow.from_source(repository.url, "heavy.py:heavy").to_deployment("d")
    assert list(made._parameter_openapi_schema.properties) == ["x"]


def test_a_process_that_loads_it_leaves_no_folder_behind(repository, tmp_path):
    code = (
        "from prefect import flow\n"
        f"made = flow.from_source({repository.url!r}, 'alone.py:alone').to_deployment('d')\n"
        "print(made.version)"
    )
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {"PREFECT_HOME": str(tmp_path / "home"), "TMPDIR": str(temporary), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # The version is the hash of a file that is gone by now.
    assert len(done.stdout.strip()) == 32
    assert list(temporary.iterdir()) == []
