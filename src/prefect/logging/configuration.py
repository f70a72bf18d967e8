"""Applies the logging configuration: the user's file or the built-in one, with overrides from the environment."""

from __future__ import annotations

import logging
import os
import re
import string
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from prefect.logging._defaults import default_config
from prefect.logging.filters import ObfuscateApiKeyFilter
from prefect.logging.formatters import PrefectFormatter
from prefect.logging.handlers import APILogHandler, PrefectConsoleHandler, WorkerAPILogHandler
from prefect.settings import get_current_settings

DEFAULT_LOGGING_SETTINGS_PATH = Path(__file__).parent / "logging.yml"
PROCESS_LOGGING_CONFIG: dict[str, Any] = {}
"""What was applied in this process; empty before."""

to_envvar = partial(re.sub, re.compile(r"[^0-9a-zA-Z]+"), "_")
"""Make of a place in the configuration the part of a variable's name that stands for it."""

_PREFIX = "PREFECT_LOGGING_"


def ensure_logging_setup() -> None:
    """Apply the logging configuration if this process has not done so."""
    if not PROCESS_LOGGING_CONFIG:
        setup_logging()


def setup_logging(incremental: bool | None = None) -> dict[str, Any]:
    """Apply the logging configuration.

    A root logger that already has handlers keeps them and its level: they are the application's.

    Args:
        incremental: Change only the levels of what is there; by default, when something was applied before.

    Returns:
        What was applied, in the form of `logging.config.dictConfig`.
    """
    settings = get_current_settings()
    path = settings.logging.config_path
    own_file = path is not None and Path(path).exists()
    config = load_logging_config(Path(path)) if own_file else default_config(settings)
    overridden = _override_from_environment(config)
    config["incremental"] = bool(PROCESS_LOGGING_CONFIG) if incremental is None else incremental
    applied = config if not _root_is_taken() else {key: value for key, value in config.items() if key != "root"}
    if config["incremental"]:
        _apply_levels(applied)
    elif own_file or overridden:
        import logging.config  # noqa: PLC0415 - costs more than all the rest, and only changed configurations need it

        logging.config.dictConfig(applied)
    else:
        _apply_default(applied)
    _guard_handlers(config.get("loggers", {}))
    _ship_extra_loggers(settings.logging.extra_loggers or [])
    PROCESS_LOGGING_CONFIG.clear()
    PROCESS_LOGGING_CONFIG.update(config)
    return config


def load_logging_config(path: Path) -> dict[str, Any]:
    """Read a configuration file: YAML, in which `$PREFECT_…` stands for the value of that setting.

    Values from `PREFECT_LOGGING_<PLACE>` variables replace what the file says.
    """
    from ruamel.yaml import YAML  # noqa: PLC0415 - only users with a file of their own need it

    values = get_current_settings().to_environment_variables(include_secrets=True)
    text = string.Template(path.read_text(encoding="utf-8")).safe_substitute(values)
    config = YAML(typ="safe", pure=True).load(text) or {}
    _override_from_environment(config)
    return config


def _override_from_environment(config: dict[str, Any]) -> bool:
    """Replace leaves that have a variable; whether there were any."""
    names = [name for name in os.environ if name.startswith(_PREFIX)]
    return bool(names) and _override_leaves(config, "")


def _override_leaves(node: dict[str, Any], place: str) -> bool:
    changed = False
    for key, value in node.items():
        here = f"{place}_{key}" if place else str(key)
        if isinstance(value, dict):
            changed |= _override_leaves(value, here)
            continue
        text = os.environ.get(_PREFIX + to_envvar(here).upper())
        if text:
            node[key] = _as_type_of(value, text)
            changed = True
    return changed


def _as_type_of(value: Any, text: str) -> Any:
    if isinstance(value, list):
        return [item.strip() for item in text.split(",") if item.strip()]
    if isinstance(value, bool):
        return text.strip().lower() in ("1", "true", "yes", "on", "t", "y")
    if isinstance(value, int) and text.strip().isdigit():
        return int(text)
    return text


def _root_is_taken() -> bool:
    return any(not isinstance(handler, PrefectConsoleHandler) for handler in logging.getLogger().handlers)


def _loggers(config: dict[str, Any]) -> list[tuple[logging.Logger, dict[str, Any]]]:
    found = [(logging.getLogger(name), spec) for name, spec in config.get("loggers", {}).items()]
    return found + ([(logging.getLogger(), config["root"])] if "root" in config else [])


def _apply_levels(config: dict[str, Any]) -> None:
    """Set the levels of what is there, as far as it is there."""
    handlers = config.get("handlers", {})
    for logger, spec in _loggers(config):
        if "level" in spec:
            logger.setLevel(spec["level"])
        for handler in logger.handlers:
            level = handlers.get(handler.name, {}).get("level")
            if level is not None:
                handler.setLevel(level)


def _apply_default(config: dict[str, Any]) -> None:
    """What `dictConfig` would do with the built-in configuration, at a fraction of its cost."""
    formats = config["formatters"]["standard"]
    console = PrefectConsoleHandler(styles=config["handlers"]["console"]["styles"])
    console.setFormatter(PrefectFormatter(**{key: value for key, value in formats.items() if key != "()"}))
    debug = logging.StreamHandler(sys.stderr)
    debug.setFormatter(
        logging.Formatter(config["formatters"]["debug"]["format"], config["formatters"]["debug"]["datefmt"])
    )
    handlers = {"console": console, "api": APILogHandler(), "debug": debug, "worker_api": WorkerAPILogHandler()}
    for name, handler in handlers.items():
        handler.name = name
    for logger, spec in _loggers(config):
        logger.setLevel(spec["level"])
        logger.propagate = spec.get("propagate", True)
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
        for name in spec.get("handlers", ()):
            logger.addHandler(handlers[name])


def _guard_handlers(names: Iterable[str]) -> None:
    """Keep the API key out of what our handlers write, whatever logger a record comes from."""
    for name in (None, *names):
        for handler in logging.getLogger(name).handlers:
            ours = isinstance(handler, (PrefectConsoleHandler, APILogHandler))
            if ours and not any(isinstance(existing, ObfuscateApiKeyFilter) for existing in handler.filters):
                handler.addFilter(ObfuscateApiKeyFilter())


def _ship_extra_loggers(names: list[str]) -> None:
    """Send the records of other libraries to the API as well. Their levels stay theirs."""
    handlers = logging.getLogger("prefect.extra").handlers
    for name in names:
        logger = logging.getLogger(name)
        for earlier in list(logger.handlers):
            if isinstance(earlier, APILogHandler):
                logger.removeHandler(earlier)
        for handler in handlers:
            logger.addHandler(handler)
