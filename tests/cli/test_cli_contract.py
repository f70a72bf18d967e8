"""The published commands, arguments and flags of `config`, `profile` and `version`."""

import json
from pathlib import Path
from typing import Any

import click
import pytest

from prefect.cli.root import root

COMMANDS = json.loads((Path(__file__).parents[1] / "contract" / "cli_config_profile_version.json").read_text())[
    "commands"
]


def find(path: list[str]) -> click.Command:
    command: click.Command | None = root
    for name in path:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), name)
    assert command is not None, path
    return command


@pytest.mark.parametrize("published", COMMANDS, ids=lambda command: " ".join(command["path"]))
def test_a_published_command_has_its_parameters(published: dict[str, Any]):
    command = find(published["path"])
    assert (published["kind"] == "group") == isinstance(command, click.Group)
    for alias in published.get("aliases", []):
        assert find([*published["path"][:-1], alias]) is command
    options = {flag: option for option in command.params for flag in [*option.opts, *option.secondary_opts]}
    for option in published.get("options", []):
        for flag in [*option["flags"], *option.get("negative_flags", [])]:
            assert flag in options, flag
        found = options[option["flags"][0]]
        assert isinstance(found, click.Option)
        assert found.required == option["required"]
        assert found.is_flag != option["takes_value"]
        assert option["default"].strip("'") in (str(found.default), repr(found.default), "None")
    arguments = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
    assert [argument.name.upper().replace("_", "-") for argument in arguments if argument.name] == [
        argument["name"].replace("_", "-") for argument in published.get("arguments", [])
    ]
    for argument, expected in zip(arguments, published.get("arguments", []), strict=True):
        assert [argument.flag] == expected["also_flags"]  # type: ignore[attr-defined]
        assert argument.required == expected["required"]
        assert (argument.nargs == -1) == expected["repeatable"]
