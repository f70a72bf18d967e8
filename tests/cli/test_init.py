"""`prefect init`, which is `prefect deploy init`: the files of a new project."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from prefect.cli._runner import invoke
from prefect.deployments import initialize_project
from prefect.deployments._project.reading import parse_project
from prefect.deployments._project.recipes import RECIPES
from prefect.deployments.base import configure_project_by_recipe, create_default_prefect_yaml

FILE = Path("prefect.yaml")
FIELDS = {
    "image_name": "registry/i",
    "tag": "t",
    "bucket": "b",
    "container": "c",
    "repository": "https://x.org/r",
    "branch": "b",
}


def start(*words: str, exit_code: int = 0, input: str = "") -> str:
    result = invoke([*words], input)
    assert result.exit_code == exit_code, result.stdout + result.stderr
    return result.stdout


def content() -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(FILE.read_text())


@pytest.mark.parametrize("command", [("init",), ("deploy", "init")])
def test_a_folder_becomes_a_project(command: tuple[str, ...], home: Path):
    said = start(*command)
    assert said.splitlines()[1:] == [".prefectignore", "prefect.yaml"]
    assert content()["name"] == "folder"
    assert content()["pull"] == [{"prefect.deployments.steps.set_working_directory": {"directory": str(Path.cwd())}}]
    assert "__pycache__/" in Path(".prefectignore").read_text()
    before = FILE.read_text()
    assert "no new files created" in start(*command, "--recipe", "git")
    assert FILE.read_text() == before


@pytest.mark.parametrize("recipe", RECIPES)
def test_each_recipe_makes_a_file_that_can_be_read(recipe: str):
    fields = [word for name in RECIPES[recipe].inputs for word in ("--field", f"{name}={FIELDS[name]}")]
    extra = ["-f", f"repository={FIELDS['repository']}", "-f", f"branch={FIELDS['branch']}"] if "git" in recipe else []
    start("init", "--recipe", recipe, "--name", "mine", *fields, *extra)
    text = FILE.read_text()
    project = parse_project(FILE, text)
    assert project.name == "mine" and project.deployments[0].name is None
    left = {"{{ build_image.image }}", "{{ build_image.image_name }}", "{{ build_image.tag }}"}
    left |= {"{{ push_code.bucket }}", "{{ push_code.container }}", "{{ push_code.folder }}"}
    assert {part + "}}" for part in text.split("'") if "{{" in part for part in [part.rpartition("}}")[0]]} <= left
    assert bool(project.build) == recipe.startswith("docker")
    assert project.deployments[0].pool.job_variables == (
        {"image": "{{ build_image.image }}"} if recipe.startswith("docker") else {}
    )


def test_the_recipe_is_found_out_and_no_password_is_written():
    subprocess.run(["git", "init", "-q", "-b", "trunk"], check=True)
    subprocess.run(["git", "remote", "add", "origin", "https://user:secret@example.com/a/b.git"], check=True)
    start("init")
    assert content()["pull"] == [
        {
            "prefect.deployments.steps.git_clone": {
                "repository": "https://example.com/a/b.git",
                "branch": "trunk",
                "access_token": None,
            }
        }
    ]
    FILE.unlink()
    Path("Dockerfile").touch()
    start("init", "-f", "image_name=i", "-f", "tag=t")
    [build] = content()["build"]
    assert build["prefect_docker.deployments.steps.build_docker_image"]["dockerfile"] == "Dockerfile"
    assert "git_clone" in str(content()["pull"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--recipe", "odd"), "Unknown recipe 'odd'"),
        (("--field", "odd"), "'odd' cannot be read. Write it as key=value"),
        (("--recipe", "s3"), "needs 'bucket'. Give --field bucket=…"),
    ],
)
def test_what_is_wrong_is_said(words: tuple[str, ...], says: str):
    assert says in start("init", *words, exit_code=1)
    assert not FILE.exists()


def test_a_field_that_no_recipe_has_is_told_of():
    assert "'odd'" in start("init", "--recipe", "local", "-f", "odd=1")
    assert FILE.exists()


def test_a_repository_that_is_not_known_is_told_of():
    assert "no remote git repository" in start("init", "--recipe", "git")
    FILE.unlink()
    assert "no remote git repository" not in start("init", "--recipe", "git", "-f", "repository=https://x.org/r")


def test_inputs_are_asked_for():
    said = start("--prompt", "init", input="s3\nmy-bucket\n")
    assert "s3: Keep the code in a bucket of S3." in said
    assert content()["push"][0]["prefect_aws.deployments.steps.push_to_s3"]["bucket"] == "my-bucket"


def test_projects_are_begun_from_python():
    assert initialize_project(name="mine", recipe="docker", inputs={"image_name": "i", "tag": "t"}) == [
        ".prefectignore",
        "prefect.yaml",
    ]
    assert initialize_project() == []
    with pytest.raises(ValueError, match="Unknown recipe 'odd'"):
        configure_project_by_recipe("odd")
    FILE.unlink()
    assert create_default_prefect_yaml(".", contents={"deployments": [{"name": "a"}]})
    assert content()["deployments"] == [{"name": "a"}]
    assert not create_default_prefect_yaml(".")
