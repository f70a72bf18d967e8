"""Writes the methods of both clients from the call functions: `python scripts/generate_clients.py [--check]`.

A method has the name, the signature and the first docstring line of its function in `prefect.client._calls`. There is one
module per resource, and in it, for each public mixin, a sync and an async class.
"""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
CALLS = ROOT / "src/prefect/client/_calls"
TARGET = ROOT / "src/prefect/client/orchestration/_methods"
CLASSES = {
    "admin": "Admin", "artifacts": "Artifact", "automations": "Automation", "blocks": "BlocksDocument",
    "collections": "Collections", "concurrency_limits": "ConcurrencyLimit", "deployments": "Deployment",
    "flow_runs": "FlowRun", "flows": "Flow", "logs": "Log", "slas": "Sla", "task_runs": "TaskRun",
    "variables": "Variable", "work_pools": "WorkPool", "work_queues": "WorkQueue",
}  # fmt: skip
"""For each resource the mixin that has its methods, without `Client` or `AsyncClient`."""
ELSEWHERE = {
    "read_latest_artifacts": "ArtifactCollection",
    "read_events": "Event",
    "read_events_page": "Event",
    "create_block_schema": "BlocksSchema",
    "get_most_recent_block_schema_for_block_type": "BlocksSchema",
    "read_block_schema_by_checksum": "BlocksSchema",
    "read_block_schemas": "BlocksSchema",
    "create_block_type": "BlocksType",
    "delete_block_type": "BlocksType",
    "read_block_document_by_name": "BlocksType",
    "read_block_documents_by_type": "BlocksType",
    "read_block_type_by_slug": "BlocksType",
    "read_block_types": "BlocksType",
    "update_block_type": "BlocksType",
}
"""Methods that stand in another mixin than those of their module."""
NOT_METHODS = {"create_run_of_flow", "create_task_run_from", "create_events", "release_flow_run_lease"}
GIVE_RESPONSES = {
    "decrement_v1_concurrency_slots", "delete_global_concurrency_limit_by_name", "hello", "increment_concurrency_slots",
    "increment_concurrency_slots_with_lease", "increment_v1_concurrency_slots", "release_concurrency_slots",
    "release_concurrency_slots_with_lease", "renew_concurrency_lease", "set_task_run_name",
    "update_global_concurrency_limit",
}  # fmt: skip
"""Methods that give the HTTP response, and not what it means."""
HEAD = '''"""Methods of both clients. Written by scripts/generate_clients.py; change the call functions instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect.client._calls import {resource} as _calls
from prefect.client.orchestration.base import BaseAsyncClient, BaseClient

if TYPE_CHECKING:
    import httpx
    from uuid import UUID
{imports}
'''
PACKAGE = '''"""The methods of both clients, one mixin per kind of object. Written by scripts/generate_clients.py."""

{imports}


class SyncMethods(
    {sync},
):
    """All methods of the sync client that the API answers."""


class AsyncMethods(
    {asynchronous},
):
    """All methods of the async client that the API answers."""
'''


def resources() -> list[str]:
    """The modules of call functions."""
    found = sorted(path.stem for path in CALLS.glob("[a-z]*.py"))
    unknown = [name for name in found if name not in CLASSES]
    if unknown:
        raise SystemExit(f"Name the mixins of {unknown} in CLASSES in {__file__}.")
    return found


def functions(resource: str) -> dict[str, list[Any]]:
    """The call functions of a module, by the mixin that has their methods."""
    module = importlib.import_module(f"prefect.client._calls.{resource}")
    found: dict[str, list[Any]] = {}
    for name, function in sorted(vars(module).items()):
        if inspect.isfunction(function) and function.__module__ == module.__name__:
            if not name.startswith("_") and name not in NOT_METHODS:
                found.setdefault(ELSEWHERE.get(name, CLASSES[resource]), []).append(function)
    return found


def arguments(function: Any) -> str:
    passed = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            passed.append(f"**{parameter.name}")
        elif parameter.kind is parameter.KEYWORD_ONLY:
            passed.append(f"{parameter.name}={parameter.name}")
        else:
            passed.append(parameter.name)
    return ", ".join(passed)


def declared(function: Any) -> str:
    """The parameters as they stand in the source."""
    source = inspect.getsource(function)
    return re.search(r"def \w+\((.*?)\) -> ", source, re.DOTALL)[1].strip().rstrip(",")


def method(function: Any, *, asynchronous: bool) -> str:
    name = function.__name__
    kind, returns = re.fullmatch(r"(Call|Steps)\[(.*)\]", function.__annotations__["return"]).groups()
    verb = "send" if kind == "Call" else "_follow"
    if name in GIVE_RESPONSES:
        verb, returns = "_respond", "httpx.Response"
    parameters = declared(function)
    signature = f"self, {parameters}" if parameters else "self"
    lead, wait = ("async ", "await ") if asynchronous else ("", "")
    return (
        f'\n    {lead}def {name}({signature}) -> {returns}:\n        """{inspect.getdoc(function).splitlines()[0]}"""\n'
        f"        return {wait}self.{verb}(_calls.{name}({arguments(function)}))\n"
    )


def module_text(resource: str) -> str:
    imports: dict[str, set[str]] = {}
    classes = ""
    for mixin, members in functions(resource).items():
        for asynchronous in (False, True):
            name, base = (
                (f"{mixin}AsyncClient", "BaseAsyncClient") if asynchronous else (f"{mixin}Client", "BaseClient")
            )
            way = "async" if asynchronous else "sync"
            classes += f'\n\nclass {name}({base}):\n    """Methods of the {way} client."""\n'
            classes += "".join(method(function, asynchronous=asynchronous) for function in members)
        for function in members:
            known = vars(sys.modules[function.__module__])
            annotations = " ".join(str(value) for value in function.__annotations__.values())
            for word in set(re.findall(r"\b(?:[A-Z]\w+|datetime)\b", annotations)) - {
                "Any",
                "Call",
                "None",
                "Steps",
                "UUID",
            }:
                imports.setdefault(known[word].__module__, set()).add(word)
    lines = "\n".join(f"    from {home} import {', '.join(sorted(names))}" for home, names in sorted(imports.items()))
    return _formatted(HEAD.format(resource=resource, imports=lines) + classes)


def package_text() -> str:
    mixins = {resource: list(functions(resource)) for resource in resources()}
    lines = [
        f"from prefect.client.orchestration._methods.{resource} import "
        + ", ".join(f"{mixin}{kind}" for mixin in names for kind in ("AsyncClient", "Client"))
        for resource, names in mixins.items()
    ]
    names = [mixin for group in mixins.values() for mixin in group]
    text = PACKAGE.format(
        imports="\n".join(lines),
        sync=", ".join(f"{name}Client" for name in names),
        asynchronous=", ".join(f"{name}AsyncClient" for name in names),
    )
    exported = ", ".join(repr(f"{name}{kind}") for name in names for kind in ("AsyncClient", "Client"))
    return _formatted(text + f'\n\n__all__ = ["AsyncMethods", "SyncMethods", {exported}]\n')


def _formatted(text: str) -> str:
    ruff = Path(sys.executable).parent / "ruff"
    for command in (["check", "--fix", "--quiet", "--select", "I,F401,RUF022"], ["format", "--quiet"]):
        name = ["--stdin-filename", str(TARGET / "generated.py"), "-"]
        text = subprocess.run([ruff, *command, *name], input=text, text=True, capture_output=True, check=True).stdout
    return text


def main() -> int:
    texts = {f"{resource}.py": module_text(resource) for resource in resources()} | {"__init__.py": package_text()}
    current = {path.name: path.read_text() for path in TARGET.glob("*.py")} if TARGET.is_dir() else {}
    if "--check" in sys.argv:
        outdated = sorted(name for name in texts.keys() | current.keys() if texts.get(name) != current.get(name))
        if outdated:
            print(f"{TARGET} is out of date in {outdated}: run scripts/generate_clients.py", file=sys.stderr)
        return 1 if outdated else 0
    TARGET.mkdir(exist_ok=True)
    for name in current.keys() - texts.keys():
        (TARGET / name).unlink()
    for name, text in texts.items():
        (TARGET / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
