"""Types of settings that read more text than pydantic does by itself, and the names that settings go by."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, AliasPath, BeforeValidator

from prefect.settings import _snapshot
from prefect.types import SecondsTimeDelta


def also_named(field_name: str, *variables: str) -> AliasChoices:
    """Names under which a setting is found: its own, its canonical variable, then older variables."""
    return AliasChoices(AliasPath(field_name), *(name.lower() for name in variables))


def _read_items(value: Any) -> Any:
    if value is None:
        return []
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


TextItems = Annotated[list[str], BeforeValidator(_read_items)]
"""Several words. Text is comma-separated or a JSON array."""

TextSet = Annotated[set[str], BeforeValidator(_read_items)]
"""Several different words. Text is comma-separated or a JSON array."""


def _read_mapping(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


DurationMapping = Annotated[dict[str, SecondsTimeDelta], BeforeValidator(_read_mapping)]
"""Spans of time by name. Text is a JSON object."""


def _in_home(value: Path) -> Path:
    snapshot = _snapshot.current.get() or _snapshot.read_snapshot()
    return _snapshot.in_home(value, snapshot.home)


HomePath = Annotated[Path, AfterValidator(_in_home)]
"""A path in which `~` and `$PREFECT_HOME` are expanded."""


def in_home(name: str) -> Callable[[], Path]:
    """A default: the file or folder of this name in the home folder."""
    return lambda: _in_home(Path("$PREFECT_HOME") / name)
