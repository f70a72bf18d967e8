"""The published commands, arguments and flags of the groups that work with objects of the API, of servers and of workers, and of `deploy`."""

import json
from pathlib import Path
from typing import Any

import pytest

from . import test_cli_contract

CONTRACT = Path(__file__).parents[1] / "contract"
COMMANDS = [
    command
    for name in ("cli_resources.json", "cli_server.json", "cli_workers.json", "cli_deploy.json")
    for command in json.loads((CONTRACT / name).read_text())["commands"]
]


@pytest.mark.parametrize("published", COMMANDS, ids=lambda command: " ".join(command["path"]))
def test_a_published_command_has_its_parameters(published: dict[str, Any]):
    for option in published.get("options", []):
        option["default"] = option["default"] or "None"  # required options have none
    test_cli_contract.test_a_published_command_has_its_parameters(published)
