"""A program `docker` for tests: it writes down what it is told, and makes no images."""

from __future__ import annotations

import json
import sys
from pathlib import Path

_SOURCE = """#!{python}
import json, pathlib, sys
arguments = sys.argv[1:]
folder = pathlib.Path(__file__).parent
dockerfile = arguments[arguments.index("--file") + 1] if "--file" in arguments else None
call = {{"arguments": arguments, "dockerfile": dockerfile and pathlib.Path(dockerfile).read_text()}}
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(call) + "\\n")
if "--iidfile" in arguments:
    pathlib.Path(arguments[arguments.index("--iidfile") + 1]).write_text("sha256:0123")
print("docker says", " ".join(arguments[:2]))
sys.exit("no such registry" if (folder / "refuses").exists() and (folder / "refuses").read_text() in arguments else 0)
"""


class FakeDocker:
    """The program, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        program = folder / "docker"
        program.write_text(_SOURCE.format(python=sys.executable))
        program.chmod(0o755)

    def refuse(self, command: str) -> None:
        """Fail when this is among the arguments."""
        (self.folder / "refuses").write_text(command)

    @property
    def calls(self) -> list[dict]:
        """What it was told so far: the arguments, and the content of the Dockerfile."""
        log = self.folder / "calls"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
