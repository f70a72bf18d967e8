"""Imports go down the layers only, in function bodies too (docs/architecture.md)."""

from __future__ import annotations

import ast
import re

import pytest
from tests.architecture.layers import LAYER_OF, is_server, layer_of
from tests.architecture.source import imports_of, lazy_imports_of, modules, tree_of

from prefect import _upcalls

SERVER_FROM_BELOW = {"prefect.logging"}
"""What the server may use besides the layers 0 and 1."""

INTO_SERVER = {
    "prefect._recorder._embedded": "stores records in the database of this process (D1)",
    "prefect.client._in_process": "delivers calls to the core in this process (D1)",
    "prefect.client._in_process_http": "turns the core's refusals into the errors that HTTP gives",
    "prefect.testing": "looks behind the doors",
    "prefect.cli._server_process": "starts the server",
    "prefect.cli._services_process": "starts the services of a server",
    "prefect.cli._database": "looks after the server's database, also where no server runs",
}
"""Who may import the server."""

_OLD_NAME = "an attribute that upstream's module happens to have, found on demand and never used here"
EXCEPTIONS = {
    ("prefect._compat.migration", "prefect.client.orchestration"): _OLD_NAME,
    ("prefect.assets", "prefect.assets.materialize"): "a public name of the package that is a task decorator",
    ("prefect.utilities.asyncutils", "prefect.logging.loggers"): _OLD_NAME,
    ("prefect.utilities.callables", "prefect.logging.loggers"): _OLD_NAME,
    ("prefect.utilities.context", "prefect._current"): "reads the ids of the runs under upstream's name for it",
    ("prefect.utilities.services", "prefect.settings"): _OLD_NAME,
    ("prefect.utilities.templating", "prefect.client.orchestration"): _OLD_NAME,
    ("prefect.utilities.templating", "prefect.client.utilities"): _OLD_NAME,
    ("prefect.utilities.templating", "prefect.logging.loggers"): _OLD_NAME,
    (
        "prefect.utilities.urls",
        "prefect.settings",
    ): "builds links from the active settings under upstream's name for it",
}
"""Upward imports that stand, each with its reason. The list may only get shorter."""

# The two packages' own files import nothing: what they hold is loaded from them by name.
ROOTS = {"prefect", "prefect.server"}


def breaks_the_rule(importer: str, imported: str) -> bool:
    """Whether one module must not import another."""
    if importer in ROOTS or importer == "prefect._upcalls":
        return False
    here, there = layer_of(importer), layer_of(imported)
    if imported in ROOTS or here is None or there is None:
        return True
    if is_server(importer) == is_server(imported):
        return there > here
    if is_server(importer):
        return there > 1 and not any(_is_within(imported, name) for name in SERVER_FROM_BELOW)
    return not any(_is_within(importer, name) for name in INTO_SERVER)


def _is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def upward_imports() -> set[tuple[str, str]]:
    return {
        (module, imported)
        for module in modules()
        for imported in imports_of(module) | lazy_imports_of(module)
        if breaks_the_rule(module, imported)
    }


def test_every_module_has_a_layer():
    homeless = [module for module in modules() if module not in ROOTS and layer_of(module) is None]
    assert homeless == [], "give each a place in tests/architecture/layers.py and in docs/architecture.md"


def test_every_public_package_of_the_table_stands_in_the_document():
    document = (modules()["prefect"].parents[2] / "docs" / "architecture.md").read_text(encoding="utf-8")
    packages = {name.split(".")[1] for name in LAYER_OF if not name.split(".")[1].startswith("_")}
    missing = sorted(name for name in packages if f"`{name}/" not in document and f"`{name}.py`" not in document)
    assert missing == []


def test_imports_go_down_the_layers():
    upward = upward_imports() - set(EXCEPTIONS)
    assert upward == set(), "call upwards through prefect._upcalls, register a callable, or move the code"


def test_no_exception_has_outlived_its_import():
    assert set(EXCEPTIONS) - upward_imports() == set()


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("prefect.utilities.text", "prefect.settings"),
        ("prefect.settings.base", "prefect.client.orchestration"),
        ("prefect.results", "prefect.flows"),
        ("prefect._engine.flow_run", "prefect.tasks"),
        ("prefect.flows", "prefect.server.models.flows"),
        ("prefect.server.models.flows", "prefect.client.orchestration"),
        ("prefect.server.database.sqlite", "prefect.server.models.flows"),
        ("prefect.server.orchestration.policies", "prefect.server.routes.flows"),
        ("prefect.tasks", "prefect"),
    ],
)
def test_the_rule_refuses_a_step_up(importer: str, imported: str):
    assert breaks_the_rule(importer, imported)


def test_the_core_knows_no_web_framework_and_no_event_loop():
    forbidden = {"fastapi", "starlette", "uvicorn", "httpx", "websockets", "asyncio", "anyio"}
    found = []
    for module in modules():
        is_core = is_server(module) and ((layer_of(module) or 0) < 4 or _is_within(module, "prefect.server.routes"))
        if not is_core:
            continue
        for node in ast.walk(tree_of(module)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            found += [(module, name) for name in names if name.partition(".")[0] in forbidden]
            if isinstance(node, (ast.AsyncFunctionDef, ast.Await)):
                found.append((module, f"line {node.lineno}"))
    assert found == []


def test_the_import_of_no_module_needs_itself():
    graph = {module: imports_of(module, at_import_only=True) & set(modules()) for module in modules()}
    left = dict(graph)
    while True:
        free = {module for module, imported in left.items() if not (imported & set(left))}
        if not free:
            break
        left = {module: imported for module, imported in left.items() if module not in free}
    assert sorted(left) == []


def test_every_upward_call_is_made_somewhere():
    sources = "".join(path.read_text(encoding="utf-8") for path in modules().values())
    unused = [name for name in _upcalls._TARGETS if f'resolve("{name}")' not in sources]
    assert unused == []


def test_every_upward_call_that_is_made_is_in_the_table():
    sources = "".join(path.read_text(encoding="utf-8") for path in modules().values())
    assert set(re.findall(r'_upcalls\.resolve\("(\w+)"\)', sources)) <= set(_upcalls._TARGETS)
