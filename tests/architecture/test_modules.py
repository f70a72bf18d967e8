"""The form of the modules: a first line that says what each is for, a bounded size, and a root that is a table."""

from __future__ import annotations

import ast
from importlib import import_module

import pytest
from tests.architecture.source import ROOT, modules, tree_of

import prefect

LIMIT = 600
LONGER: dict[str, str] = {
    "prefect.tasks": "the public face of a task: most of it is the signatures that upstream has, with their documentation",
}
"""Modules of more lines, each with its reason. The list may only get shorter."""


def test_the_first_line_of_every_module_says_what_it_is_for():
    silent = {}
    for module in modules():
        documentation = ast.get_docstring(tree_of(module)) or ""
        first = documentation.partition("\n")[0].rstrip()
        if len(first) <= 15 or not first.endswith((".", ":")):
            silent[module] = first
    assert silent == {}, "the first line is a whole sentence"


def lines_of(module: str) -> int:
    return len(modules()[module].read_text(encoding="utf-8").splitlines())


def test_no_module_is_longer_than_one_responsibility():
    assert {module: lines_of(module) for module in modules() if lines_of(module) > LIMIT and module not in LONGER} == {}


def test_no_module_is_excused_that_is_short_by_now():
    assert [module for module in LONGER if module not in modules() or lines_of(module) <= LIMIT] == []


# -- the root ----------------------------------------------------------------------------------------------------------


def names_for_type_checkers() -> dict[str, str]:
    """What the root's TYPE_CHECKING block imports: name -> module."""
    found = {}
    for node in tree_of("prefect").body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for statement in node.body:
                assert isinstance(statement, ast.ImportFrom)
                found |= {alias.asname or alias.name: statement.module for alias in statement.names}
    return found


def test_the_lazy_table_is_what_type_checkers_read():
    assert names_for_type_checkers() == prefect._HOME


def test_the_lazy_table_is_what_the_root_exports():
    assert {*prefect._HOME, "__version__"} == set(prefect.__all__)
    assert len(prefect.__all__) == len(set(prefect.__all__))


@pytest.mark.parametrize("name", prefect._HOME)
def test_each_name_of_the_root_is_the_one_of_its_module(name: str):
    assert getattr(prefect, name) is getattr(import_module(prefect._HOME[name]), name)
    assert name in dir(prefect)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'flwo'"):
        prefect.flwo  # noqa: B018
    assert not hasattr(prefect, "flwo")


def test_submodules_are_found_on_demand():
    assert prefect.runtime is import_module("prefect.runtime")


# -- lazy packages -----------------------------------------------------------------------------------------------------


def test_what_a_module_exports_is_there():
    missing = {}
    for module in modules():
        if module == "prefect.__main__":  # importing it runs the command line
            continue
        loaded = import_module(module)
        missing |= {module: name for name in getattr(loaded, "__all__", []) if not hasattr(loaded, name)}
    assert missing == {}


def test_the_checkout_has_no_module_that_is_named_for_nothing():
    vague = {"helpers", "common", "misc", "utils", "tools", "stuff"}
    assert [str(path.relative_to(ROOT)) for path in modules().values() if path.stem in vague] == []
