"""Begins projects: writes their `prefect.yaml` after a recipe, and their `.prefectignore`."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.representer import RoundTripRepresenter

from prefect._version import __version__
from prefect.deployments._project.recipes import RECIPES, fitting_recipe, known_inputs
from prefect.utilities.annotations import NotSet
from prefect.utilities.filesystem import create_default_ignore_file
from prefect.utilities.templating import apply_values

__all__ = ["configure_project_by_recipe", "create_default_prefect_yaml", "initialize_project"]

_SECTIONS = {
    "build": "What is built before the deployments are made, such as images",
    "push": "Where the code is brought to",
    "pull": "How workers get the code before a run",
    "deployments": "The deployments of this project: `prefect deploy` makes them",
}


class _Representer(RoundTripRepresenter):
    def ignore_aliases(self, data: Any) -> bool:
        # What stands in a recipe twice is written twice, not as an anchor and its alias.
        return True

    def represent_none(self, data: Any) -> Any:
        # An empty value looks forgotten.
        return self.represent_scalar("tag:yaml.org,2002:null", "null")


_Representer.add_representer(type(None), _Representer.represent_none)


def create_default_prefect_yaml(path: str, name: str | None = None, contents: dict[str, Any] | None = None) -> bool:
    """Put a `prefect.yaml` into a folder, unless it has one.

    Args:
        path: The folder.
        name: The name of the project; by default that of the folder.
        contents: The sections `build`, `push`, `pull` and `deployments`; those that are left out are empty.

    Returns:
        Whether the file was made.
    """
    folder = Path(path)
    text = _text(name or folder.resolve().name, contents or {})
    try:
        with (folder / "prefect.yaml").open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True


def _text(name: str, contents: dict[str, Any]) -> str:
    parts = [
        "# What this project deploys, and how. Keep this file together with the code.\n"
        + _yaml({"name": name, "prefect-version": __version__})
    ]
    parts += [f"# {what}\n{_yaml({section: contents.get(section)})}" for section, what in _SECTIONS.items()]
    return "\n".join(parts)


def _yaml(value: dict[str, Any]) -> str:
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = 4096
    written = StringIO()
    yaml.dump(value, written)
    return written.getvalue()


def configure_project_by_recipe(recipe: str, **formatting_kwargs: Any) -> dict[str, Any] | type[NotSet]:
    """What a project file holds that is made after a recipe.

    Args:
        recipe: Such as `git` or `docker`.
        **formatting_kwargs: Fill the recipe's placeholders; those of others stay.

    Raises:
        ValueError: There is no such recipe.
    """
    if recipe not in RECIPES:
        raise ValueError(f"Unknown recipe {recipe!r} provided. Choose one of {', '.join(RECIPES)}.")
    return apply_values(RECIPES[recipe].contents(), formatting_kwargs, remove_notset=False)


def initialize_project(
    name: str | None = None, recipe: str | None = None, inputs: dict[str, Any] | None = None
) -> list[str]:
    """Make the working directory a project. Files that are there stay as they are.

    Args:
        name: The name of the project; by default that of the directory.
        recipe: How its code is kept; by default as fits the directory, by its git repository and its Dockerfile.
        inputs: Fill the recipe's placeholders.

    Returns:
        The names of the files that were made.

    Raises:
        ValueError: There is no such recipe.
    """
    folder = Path.cwd()
    known = known_inputs(folder)
    contents = configure_project_by_recipe(recipe or fitting_recipe(folder), **{**known, **(inputs or {})})
    files = []
    if create_default_ignore_file("."):
        files.append(".prefectignore")
    if create_default_prefect_yaml(".", name=name, contents=contents if isinstance(contents, dict) else None):
        files.append("prefect.yaml")
    return files
