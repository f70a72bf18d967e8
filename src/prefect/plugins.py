"""Installed packages that extend this one: collections of blocks and workers, and hooks that prepare a process."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from prefect.settings import get_current_settings

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, EntryPoints
    from types import ModuleType

__all__ = [
    "PREFECT_PLUGIN_API_VERSION",
    "HookContext",
    "HookSpec",
    "SetupResult",
    "SetupSummary",
    "load_prefect_collections",
    "register_hook",
    "run_startup_hooks",
    "safe_load_entrypoints",
]

PREFECT_PLUGIN_API_VERSION = "0.1"

_COLLECTIONS = "prefect.collections"
_PLUGINS = "prefect.plugins"
_SECRET_WORDS = ("TOKEN", "SECRET", "KEY", "PASSWORD", "PASSWD", "CREDENTIAL", "AUTH")
_MASK = "••••••"

logger = logging.getLogger("prefect.plugins")

F = TypeVar("F", bound=Callable[..., Any])


def _entry_points(group: str) -> EntryPoints:
    # Looks at every installed distribution, and is slow to import.
    from importlib.metadata import entry_points  # noqa: PLC0415

    return entry_points(group=group)


# -- collections -------------------------------------------------------------------------------------------------------

_loaded: dict[str, ModuleType | Exception] | None = None
_loading = threading.RLock()


def load_prefect_collections(reload: bool = False) -> dict[str, ModuleType | Exception]:
    """Import the installed integration packages, once per process, so that their blocks and workers are known.

    Args:
        reload: Look again for packages, and import those that failed.

    Returns:
        By name, the module of each package, or what kept it from being imported; the latter is also printed.
    """
    global _loaded
    with _loading:
        # A package that asks for the collections while it is imported gets those that are loaded so far.
        if _loaded is None or reload:
            _loaded = {}
            _loaded.update(safe_load_entrypoints(_entry_points(_COLLECTIONS)))
            for name, outcome in _loaded.items():
                if isinstance(outcome, Exception):
                    print(f"Warning!  Failed to load collection {name!r}: {type(outcome).__name__}: {outcome}")
        return _loaded


def safe_load_entrypoints(entrypoints: EntryPoints | Iterable[EntryPoint]) -> dict[str, Any]:
    """Load entry points; gives by name what each stands for, or the exception that loading it raised."""
    found: dict[str, Any] = {}
    for entry_point in entrypoints:
        try:
            found[entry_point.name] = entry_point.load()
        except Exception as error:  # noqa: BLE001 - code of other packages may raise anything, and the others are loaded
            found[entry_point.name] = error
    return found


# -- hooks -------------------------------------------------------------------------------------------------------------


class _HookMarker:
    """Marks functions as hooks, in the way in which pluggy does."""

    def __init__(self, project_name: str) -> None:
        self.project_name = project_name

    def __call__(self, function: F | None = None, **options: Any) -> Any:
        """Mark a function; with options only, give the decorator that does."""
        if function is None:
            return lambda decorated: self(decorated, **options)
        default = {"hookwrapper": False, "optionalhook": False, "specname": None, "tryfirst": False, "trylast": False}
        setattr(function, self._attribute, {"wrapper": False} | default | options)
        return function

    @property
    def _attribute(self) -> str:
        return f"{self.project_name}_impl"

    def marks(self, function: Any) -> bool:
        """Whether a function was marked."""
        return callable(function) and hasattr(function, self._attribute)


register_hook = _HookMarker("prefect-experimental")
"""Marks a function of a plugin as the implementation of the hook whose name it has; see `HookSpec`."""


@dataclass
class HookContext:
    """What a hook is told."""

    prefect_version: str
    api_url: str | None
    logger_factory: Callable[[str], logging.Logger]


@dataclass
class SetupResult:
    """What a plugin did to prepare the process.

    Attributes:
        env: Variables for the environment of this process.
        note: A line about it, for people.
        required: The process cannot do without it.
    """

    env: Mapping[str, str]
    note: str | None = None
    required: bool = False


@dataclass
class SetupSummary:
    """What came of one plugin. Values that may be secret are masked."""

    plugin: str
    env_preview: dict[str, str]
    note: str | None
    error: str | None


class HookSpec:
    """The hooks that a plugin can implement, each as a function of that name marked with `register_hook`."""

    def setup_environment(self, *, ctx: HookContext) -> SetupResult | None:
        """Prepare this process before anything runs, such as with short-lived credentials. May be async."""

    def set_database_connection_params(self, connection_url: str, settings: Any) -> Mapping[str, Any]:
        """Give more arguments for connections to the server's database."""
        return {}


def _implementations(hook: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The installed plugins that the settings allow, with their implementations of a hook."""
    settings = get_current_settings().plugins
    if not settings.enabled:
        return
    for entry_point in _entry_points(_PLUGINS):
        name = entry_point.name
        if (settings.allow and name not in settings.allow) or name in settings.deny:
            continue
        try:
            implementation = getattr(entry_point.load(), hook, None)
        except Exception:
            logger.exception("Failed to load plugin %s", name)
            continue
        if register_hook.marks(implementation) and not settings.safe_mode:
            yield name, implementation  # type: ignore[misc]


async def run_startup_hooks(ctx: HookContext) -> list[SetupSummary]:
    """Let the installed plugins prepare this process; what they give goes into its environment.

    Nothing is done unless the setting `plugins.enabled` is on.

    Returns:
        What came of each plugin that prepares processes. One that fails is logged, and left out.

    Raises:
        SystemExit: One failed, and the setting `plugins.strict` is on.
    """
    summaries = []
    for name, implementation in _implementations("setup_environment"):
        summary = await _set_up(name, implementation, ctx)
        if summary is not None:
            summaries.append(summary)
    return summaries


async def _set_up(name: str, implementation: Callable[..., Any], ctx: HookContext) -> SetupSummary | None:
    import asyncio  # noqa: PLC0415 - loaded already wherever this runs

    settings = get_current_settings().plugins
    try:
        made = implementation(ctx=ctx)
        if hasattr(made, "__await__"):
            made = await asyncio.wait_for(made, settings.setup_timeout_seconds)
    except Exception as error:
        logger.exception("Plugin %s failed", name)
        if settings.strict:
            sys.exit(f"[plugins] required plugin {name!r} failed: {error!r}")
        return SetupSummary(name, {}, None, str(error) or repr(error))
    if made is None:
        return None
    os.environ.update(made.env)
    return SetupSummary(name, {key: _preview(key, value) for key, value in made.env.items()}, made.note, None)


def _preview(key: str, value: str) -> str:
    return _MASK if any(word in key.upper() for word in _SECRET_WORDS) else value
