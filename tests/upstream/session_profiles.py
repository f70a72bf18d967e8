"""Commands about settings and profiles, each a process of its own. Runs with either package; the API matters little."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from command_line import CommandLine
from parts import MARK, tell

MINE, RENAMED = f"mine-{MARK}", f"renamed-{MARK}"


def profiles() -> Any:
    cli = CommandLine(fresh=True)
    cli("profile", "create", MINE)
    cli("profile", "create", MINE)
    cli("profile", "use", MINE)
    cli("profile", "use", "none")
    cli("config", "set", "PREFECT_LOGGING_LEVEL=DEBUG", "PREFECT_RESULTS_PERSIST_BY_DEFAULT=true")
    cli("config", "set", "PREFECT_ODD=1")
    cli("config", "set", "PREFECT_LOGGING_LEVEL")
    cli("config", "set", "PREFECT_SERVER_API_PORT=word")
    cli("config", "unset", "PREFECT_RESULTS_PERSIST_BY_DEFAULT", "-y")
    cli("config", "unset", "PREFECT_ODD", "-y")
    cli("config", "unset", "PREFECT_RUNNER_PROCESS_LIMIT", "-y")
    cli("config", "validate")
    shown = cli.json("config", "view", "--show-sources") or {}
    cli("profile", "create", "copy", "--from", MINE)
    cli.json("profile", "inspect", "copy")
    cli("profile", "inspect", "none")
    cli("profile", "rename", "copy", RENAMED)
    cli("profile", "rename", "none", "other")
    cli("profile", "delete", MINE)
    cli("profile", "delete", RENAMED)
    cli("profile", "delete", RENAMED)
    cli.json("profile", "ls")
    cli("--profile", "none", "profile", "ls")
    levels = [each for each in shown.get("settings", []) if each["name"] == "PREFECT_LOGGING_LEVEL"]
    # What else is shown depends on the settings that each package has.
    cli.seen = {label: told for label, told in cli.seen.items() if "config view" not in label}
    return {**cli.seen, "profile": shown.get("profile"), "levels": levels, "file": Path("home/profiles.toml").exists()}


PARTS = [profiles]

if __name__ == "__main__":
    tell(PARTS)
