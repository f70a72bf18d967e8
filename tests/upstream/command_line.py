"""Runs commands of `prefect` as processes of their own would, and keeps what can be compared of what they did.

Each command runs in a fork. What it has loaded, the parent loads too, so that loading, which takes seconds, happens once.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import runpy
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from parts import MARK

NO_ID = "00000000-0000-4000-8000-000000000000"
ID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b")
INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
STORED = re.compile(r"\b[0-9a-f]{32}\b")
MEASURED = {"estimated_run_time", "total_run_time", "estimated_start_time_delta"}


OF_SCHEMAS = {"fields", "base_job_template"}
OWN_WORDS = {"checksum", "code_example", "logo_url", "documentation_url"}
"""What each project says in its own words of its blocks and workers, and what follows from that."""


def without_words(schema: Any) -> Any:
    """A JSON schema without its sentences."""
    if isinstance(schema, dict):
        return {
            name: without_words(item)
            for name, item in schema.items()
            if not (name in ("description", "examples") and not isinstance(item, dict))
        }
    return [without_words(item) for item in schema] if isinstance(schema, list) else schema


def normal(value: Any, key: str = "") -> Any:
    """A value without what differs from one run to the next."""
    if key in OF_SCHEMAS or (isinstance(value, dict) and {"job_configuration", "variables"} <= value.keys()):
        value = without_words(value)
    if key in OWN_WORDS:
        return f"<{key}>"
    if isinstance(value, dict):
        if "logo_url" in value:  # a type of blocks, which whoever registers it last describes
            value = {**value, "description": "<description>"}
        return {name: normal(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [normal(item) for item in value]
    if isinstance(value, str):
        # Whether a run is late by now depends on how busy the machine is.
        value = "Scheduled" if value == "Late" else value.replace(str(Path.cwd()), "FOLDER")
        value = STORED.sub("<key>", value.replace(os.environ.get("PREFECT_API_URL") or "no API", "<api>"))
        return INSTANT.sub("<time>", ID.sub("<id>", value))
    return "<measured>" if key in MEASURED else value


def forked(action: Any) -> tuple[int, str, str]:
    """What `action` returned as exit code, wrote to stdout and wrote to stderr, in a process of its own."""
    with (
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
        tempfile.TemporaryFile("w+") as loaded,
    ):
        before = set(sys.modules)
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            code = 1
            try:
                code = action()
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else int(end.code is not None)
            except BaseException:
                traceback.print_exc()
            finally:
                loaded.write("\n".join(name for name in sys.modules if name not in before))
                for stream in (sys.stdout, sys.stderr, loaded):
                    stream.flush()
                os._exit(code or 0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        for file in (out, err, loaded):
            file.seek(0)
        for name in loaded.read().split():
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        return code, out.read(), err.read()


def _in_a_fork(arguments: list[str], stdin: str) -> tuple[int, str, str]:
    def prefect() -> None:
        sys.argv = ["prefect", *arguments]
        with tempfile.TemporaryFile("w+") as given:
            given.write(stdin)
            given.seek(0)
            os.dup2(given.fileno(), 0)
            runpy.run_module("prefect", run_name="__main__")

    return forked(prefect)


def _fresh(arguments: list[str], stdin: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "prefect", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


def prepared(action: Any) -> Any:
    """What `action` returned, in a process of its own: this one only forks, and must start no threads."""

    def write() -> int:
        Path("prepared.json").write_text(json.dumps(action(), default=str))
        return 0

    code, _, err = forked(write)
    assert code == 0, err
    return json.loads(Path("prepared.json").read_text())


class CommandLine:
    """Runs commands, and remembers by their words how each ended."""

    def __init__(self, fresh: bool = False) -> None:
        """Make one. A fresh command is a process of its own, because it depends on settings that others change."""
        self.seen: dict[str, Any] = {}
        self._run = _fresh if fresh else _in_a_fork

    def __call__(self, *words: Any, stdin: str = "") -> str:
        """Run a command and give what it printed. JSON is kept, of other answers only where they went."""
        arguments = [str(word) for word in words]

        code, out, err = self._run(arguments, stdin)
        told: dict[str, Any] = {"exit": code}
        try:
            told["json"] = _own(json.loads(out))
        except ValueError:
            told["said"] = "stdout" if out.strip() else "stderr" if err.strip() else "nothing"
        if os.environ.get("SESSION_VERBOSE"):
            print("$", *arguments, "->", code, out, err, sep="\n", file=sys.stderr)
        self.seen[self._label(arguments)] = told
        return out

    def json(self, *words: Any, ordered: bool = True, **options: Any) -> Any:
        """Run a command with `--output json`, and give what it printed as JSON.

        Args:
            ordered: Whether the order of what is listed is compared, too.
        """
        out = self(*words, "--output", "json", **options)
        told = next(reversed(self.seen.values()))
        if not ordered and isinstance(told.get("json"), list):
            told["json"].sort(key=lambda item: json.dumps([item.get("work_pool_name"), item["name"]]))
        try:
            return json.loads(out)
        except ValueError:
            return None

    def _label(self, arguments: list[str]) -> str:
        label = normal(" ".join(arguments))
        repeated = sum(1 for known in self.seen if known.split(" #")[0] == label)
        return f"{label} #{repeated + 1}" if repeated else label


def _own(answer: Any) -> Any:
    """A list without the things of others on the same API."""
    if isinstance(answer, list):
        answer = [item for item in answer if MARK in json.dumps(item)]
    return normal(answer)
