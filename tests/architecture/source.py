"""Reads the source tree: which module imports which, in function bodies too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"


@lru_cache
def modules() -> dict[str, Path]:
    """Every module of the package by its name."""
    return {module_name(path): path for path in sorted((SRC / "prefect").rglob("*.py"))}


def module_name(path: Path) -> str:
    parts = list(path.relative_to(SRC).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@lru_cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


def imports_of(module: str, *, at_import_only: bool = False) -> set[str]:
    """The modules of this package that `module` imports when it runs; what only type checkers read is left out.

    Args:
        module: A module's full name.
        at_import_only: Leave out the imports inside functions.
    """
    found: set[str] = set()
    for node in _statements(tree_of(module), at_import_only):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if _is_ours(alias.name)}
        elif isinstance(node, ast.ImportFrom):
            base = _base_of(module, node)
            if _is_ours(base):
                for alias in node.names:
                    member = f"{base}.{alias.name}"
                    found.add(member if member in modules() else base)
    return found - {module}


def lazy_imports_of(module: str) -> set[str]:
    """The modules that `module` names as text in order to import them: `import_module("…")` and values of tables."""
    texts: set[str] = set()
    for node in _statements(tree_of(module), False):
        if isinstance(node, ast.Dict):
            texts |= set(_texts(node.values))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            texts |= set(_texts(node.args))
    names = {text.partition(":")[0] for text in texts}
    return {name for name in names if name in modules()} - {module, "prefect"}


def _texts(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, (ast.Tuple, ast.List)):
            yield from _texts(node.elts)


def _statements(node: ast.AST, at_import_only: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield other
                yield from _statements(other, at_import_only)
            continue
        if at_import_only and isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        yield child
        yield from _statements(child, at_import_only)


def _base_of(module: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module if modules()[module].name == "__init__.py" else module.rpartition(".")[0]
    for _ in range(node.level - 1):
        package = package.rpartition(".")[0]
    return f"{package}.{node.module}" if node.module else package


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] == "prefect"
