"""`prefect init`: asks what a recipe needs, and begins a project."""

from collections.abc import Sequence
from pathlib import Path

import click

from prefect.cli import _output, _session
from prefect.deployments._project.recipes import RECIPES, fitting_recipe, remote_of
from prefect.deployments.base import initialize_project


def start_project(name: str | None, recipe: str | None, fields: Sequence[str]) -> None:
    """Begin a project in the working directory.

    Args:
        name: Its name; by default that of the directory.
        recipe: How its code is kept. By default that is asked, or found out where nobody can be asked.
        fields: Inputs of the recipe, each as `key=value`.
    """
    inputs = _parse(fields)
    if recipe is not None and recipe not in RECIPES:
        _output.fail(f"Unknown recipe {recipe!r} provided. Choose one of {', '.join(RECIPES)}.")
    if recipe is None:
        recipe = _ask_recipe() if _session.is_interactive() else fitting_recipe(Path.cwd())
        wanted = RECIPES[recipe].inputs if _session.is_interactive() else {}
    else:
        wanted = RECIPES[recipe].inputs
    missing = {key: what for key, what in wanted.items() if key not in inputs}
    if missing and not _session.is_interactive():
        options = " ".join(f"--field {key}=…" for key in missing)
        _output.fail(f"The recipe {recipe!r} needs {', '.join(map(repr, missing))}. Give {options}.")
    for key, what in missing.items():
        inputs[key] = click.prompt(f"{what} ({key})")
    extra = sorted(inputs.keys() - RECIPES[recipe].inputs.keys() - _KNOWN)
    if extra:
        _output.note(f"Warning: extra fields provided for {recipe!r} recipe: {', '.join(map(repr, extra))}")
    if "git" in recipe.split("-") and "repository" not in inputs and remote_of(Path.cwd()) is None:
        _output.note("This folder has no remote git repository: write its address into prefect.yaml, below 'pull'.")
    files = initialize_project(name=name, recipe=recipe, inputs=inputs)
    if files:
        _output.success(f"Created project in {Path.cwd()} with the following new files:\n" + "\n".join(files))
    else:
        _output.success(f"Created project in {Path.cwd()}; no new files created.")


_KNOWN = {"repository", "branch", "directory", "dockerfile", "name"}
"""Placeholders of recipes that are found out, and may be said."""


def _parse(fields: Sequence[str]) -> dict[str, str]:
    inputs: dict[str, str] = {}
    for field in fields:
        key, equals, value = field.partition("=")
        if not equals:
            _output.fail(f"The field {field!r} cannot be read. Write it as key=value.")
        inputs[key.strip()] = value.strip()
    return inputs


def _ask_recipe() -> str:
    for name, recipe in RECIPES.items():
        _output.echo(f"{name}: {recipe.description}.")
    return click.prompt("Recipe", type=click.Choice(list(RECIPES)), default=fitting_recipe(Path.cwd()))
