"""Finds objects by name or path, and loads modules late, under other names, or only as far as they load."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from prefect.exceptions import ScriptError

__all__ = [
    "AliasedModuleDefinition",
    "AliasedModuleFinder",
    "AliasedModuleLoader",
    "DelayedImportErrorModule",
    "from_qualified_name",
    "import_object",
    "lazy_import",
    "load_module",
    "load_script_as_module",
    "safe_load_namespace",
    "to_qualified_name",
]


# --- objects by name --------------------------------------------------------------------------------------------------


def to_qualified_name(obj: Any) -> str:
    """Return the name by which `from_qualified_name` finds a function or class."""
    return f"{obj.__module__}.{obj.__qualname__}"


def from_qualified_name(name: str) -> Any:
    """Import the module or the attribute of a module that a dotted name stands for.

    Attributes of classes are found too.

    Raises:
        ModuleNotFoundError: No leading part of the name is a module.
        AttributeError: The module has no such attribute.
    """
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        module_name = ".".join(parts[:end])
        try:
            found: Any = importlib.import_module(module_name)
        except ModuleNotFoundError as error:
            # A module that is there, but needs another that is not, must not be taken for a missing one.
            if end == 1 or not (error.name and f"{module_name}.".startswith(f"{error.name}.")):
                raise
            continue
        for attribute in parts[end:]:
            found = getattr(found, attribute)
        return found
    raise ModuleNotFoundError(f"No module in {name!r}.")


def import_object(import_path: str) -> Any:
    """Load the object that an entrypoint names.

    Args:
        import_path: `path/to/file.py:object`, `package.module:object` or `package.module.object`. The object may be
            dotted, as `Class.attribute`.

    Raises:
        ValueError: The path has none of these forms.
        ScriptError: The file cannot be read, or raises while it is loaded.
        ModuleNotFoundError: There is no such module.
        AttributeError: There is no such object.
    """
    if ".py:" in import_path:
        script, _, name = import_path.rpartition(":")
        found: Any = load_script_as_module(script)
    elif ":" in import_path:
        module_name, _, name = import_path.rpartition(":")
        found = load_module(module_name)
    elif import_path.endswith(".py") and Path(import_path).is_file():
        raise ModuleNotFoundError(
            f"{import_path!r} is a file: say what is meant of it, as '{import_path}:NAME'.", name=import_path[:-3]
        )
    elif "." in import_path:
        return from_qualified_name(import_path)
    else:
        raise ValueError(
            f"Cannot import an object from {import_path!r}: expected 'path/to/file.py:object' or 'module.object'."
        )
    for attribute in name.split("."):
        found = getattr(found, attribute)
    return found


# --- modules ----------------------------------------------------------------------------------------------------------


_SCRIPT_PREFIX = "__prefect_loader_"


def load_module(module_name: str) -> ModuleType:
    """Import a module by name, looking in the working directory too."""
    _make_importable(Path.cwd(), first=False)
    return importlib.import_module(module_name)


def is_script(module_name: str) -> bool:
    """Whether a module was loaded as a script, so that no import statement finds it."""
    return module_name.startswith(_SCRIPT_PREFIX)


def importable_name(module_name: str) -> str:
    """The name that an import statement needs for a module: that of its file, if it was loaded as a script."""
    file = getattr(sys.modules.get(module_name), "__file__", None)
    return Path(file).stem if file and is_script(module_name) else module_name


def load_script_as_module(path: str) -> ModuleType:
    """Execute a file as a module under a private name, so that its `if __name__ == "__main__"` blocks do not run.

    The file's directory becomes importable, also for imports that its functions make later. The module is registered
    under its private name, which is the same for the same file: objects defined in it can be pickled.

    Raises:
        ScriptError: The file cannot be read, or raises; the original error is its `user_exc`.
    """
    file = Path(path).resolve()
    name = f"{_SCRIPT_PREFIX}{hashlib.md5(str(file).encode(), usedforsecurity=False).hexdigest()[:16]}__"
    _make_importable(Path.cwd(), first=False)
    _make_importable(file.parent, first=True)
    spec = importlib.util.spec_from_loader(name, SourceFileLoader(name, str(file)))
    if spec is None:
        raise ScriptError(user_exc=ImportError(f"No loader for {path!r}"), path=path)
    module = importlib.util.module_from_spec(spec)
    previous = sys.modules.get(name)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)  # type: ignore[union-attr]
    except Exception as error:
        if previous is None:
            del sys.modules[name]
        else:
            sys.modules[name] = previous
        raise ScriptError(user_exc=error, path=path) from error
    return module


def _make_importable(directory: Path, *, first: bool) -> None:
    text = str(directory)
    if text in sys.path or (directory == Path.cwd() and "" in sys.path):
        return
    if first:
        sys.path.insert(0, text)
    else:
        sys.path.append(text)


class DelayedImportErrorModule(ModuleType):
    """Stands for a module that is missing, and says so when it is used.

    Args:
        error_message: What is missing.
        help_message: What to do about it.
    """

    def __init__(self, error_message: str, help_message: str | None = None) -> None:
        super().__init__("DelayedImportErrorModule")
        self.__error_message = error_message
        self.__help_message = help_message

    def __getattr__(self, attr: str) -> Any:
        # Tools look at modules through dunder names; they are not what the module is used for.
        if attr.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {attr!r}")
        parts = [self.__error_message, self.__help_message]
        raise ModuleNotFoundError("\n".join(part for part in parts if part))


def lazy_import(name: str, error_on_import: bool = False, help_message: str | None = None) -> ModuleType:
    """Return a module that is executed when one of its attributes is first used.

    Args:
        error_on_import: Raise at once if the module does not exist, instead of when it is used.
        help_message: What to tell the user then, such as which package to install.

    Raises:
        ModuleNotFoundError: The module does not exist, and `error_on_import` is set.
    """
    if name in sys.modules:
        return sys.modules[name]
    if "." in name:
        warnings.warn(
            f"Importing the submodule {name!r} lazily imports its parent packages at once.",
            RuntimeWarning,
            stacklevel=2,
        )
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.loader is None:
        message = f"No module named {name!r}."
        if error_on_import:
            raise ModuleNotFoundError("\n".join(part for part in (message, help_message) if part), name=name)
        return DelayedImportErrorModule(message, help_message)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    importlib.util.LazyLoader(spec.loader).exec_module(module)
    return module


# --- modules under other names ----------------------------------------------------------------------------------------


class AliasedModuleDefinition(NamedTuple):
    """Another name for a module.

    Attributes:
        alias: The other name.
        real: The name of the module to import.
        callback: Called with the alias each time it is imported first, for instance to warn.
    """

    alias: str
    real: str
    callback: Callable[[str], None] | None


class AliasedModuleFinder(MetaPathFinder):
    """Lets modules be imported by other names; the alias and the name give the same module object."""

    def __init__(self, aliases: Iterable[AliasedModuleDefinition]) -> None:
        self.aliases: list[AliasedModuleDefinition] = list(aliases)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the module that a name is an alias of, or is a submodule of such a module."""
        for alias, real, callback in self.aliases:
            if fullname == alias or fullname.startswith(f"{alias}."):
                real_spec = importlib.util.find_spec(real + fullname[len(alias) :])
                if real_spec is None:
                    return None
                loader = AliasedModuleLoader(fullname, callback, real_spec)
                return ModuleSpec(
                    fullname,
                    loader,
                    origin=real_spec.origin,
                    is_package=real_spec.submodule_search_locations is not None,
                )
        return None


class AliasedModuleLoader(Loader):
    """Puts a module in the place of its alias."""

    def __init__(self, alias: str, callback: Callable[[str], None] | None, real_spec: ModuleSpec) -> None:
        self.alias = alias
        self.callback = callback
        self.real_spec = real_spec

    def exec_module(self, module: ModuleType) -> None:
        """Import the real module and register it under the alias."""
        if self.callback is not None:
            self.callback(self.alias)
        sys.modules[self.alias] = importlib.import_module(self.real_spec.name)


# --- source that may not load -----------------------------------------------------------------------------------------


def safe_load_namespace(source_code: str, filepath: str | None = None) -> dict[str, Any]:
    """Execute what can be executed of a module's source and return its names.

    Imports, definitions and assignments are executed one by one; those that fail, for instance because a package is
    missing, leave their names undefined. Calls at the top level are not made.

    Args:
        filepath: Where the source is from; makes its neighbours importable.
    """
    namespace: dict[str, Any] = {"__name__": "prefect_safe_namespace_loader"}
    if filepath is not None:
        file = Path(filepath).resolve()
        namespace["__file__"] = str(file)
        _make_importable(file.parent, first=True)
        # `from . import x` in a file outside of any package means its neighbours.
        namespace["__package__"] = ""
    for statement in ast.parse(source_code).body:
        if isinstance(statement, ast.ImportFrom) and statement.level:
            statement.level = 0
        if _only_defines(statement):
            code = compile(ast.Module(body=[statement], type_ignores=[]), filepath or "<source>", "exec")
            try:
                exec(code, namespace)
            except Exception:  # noqa: BLE001 - the point is to get as far as the environment allows
                continue
    return namespace


def _only_defines(statement: ast.stmt) -> bool:
    if isinstance(statement, (ast.If, ast.Try)):
        inner = [node for node in ast.walk(statement) if isinstance(node, ast.stmt) and node is not statement]
        return all(
            isinstance(node, (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.Pass)) for node in inner
        )
    return isinstance(
        statement,
        (
            ast.Import,
            ast.ImportFrom,
            ast.Assign,
            ast.AnnAssign,
            ast.ClassDef,
            ast.FunctionDef,
            ast.AsyncFunctionDef,
        ),
    )
