"""Reads `prefect.yaml`, and says what is wrong with it and where."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError, YAMLWarning
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver

from prefect.deployments._project.entries import Project, ProjectError

DEFAULT_FILE = Path("prefect.yaml")


class InvalidProjectError(ProjectError):
    """A project file cannot be used."""


@dataclass(frozen=True)
class ProjectFile:
    """A project file as it was read.

    Attributes:
        text: What it held, by which later changes by others are noticed; None: there is no file.
        is_valid: Whether its content could be used; otherwise `project` is empty.
    """

    path: Path
    text: str | None = None
    project: Project = field(default_factory=Project)
    is_valid: bool = True


def read_text(path: Path) -> str | None:
    """The text of a file, byte for byte; None if there is no such file.

    Raises:
        InvalidProjectError: It cannot be read, or is not text.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidProjectError(f"{str(path)!r} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidProjectError(f"{str(path)!r} is not text in UTF-8: {error}.") from error


def parse_project(path: Path, text: str) -> Project:
    """What a project file says.

    Raises:
        InvalidProjectError: It is not YAML, or holds what a project file does not; the message has a line for each problem.
    """
    data = parse_yaml(path, text)
    if not isinstance(data, dict):
        what = "is empty" if data is None else f"holds {_kind(data)}"
        raise InvalidProjectError(f"{str(path)!r} {what}, where keys such as 'deployments' are expected.")
    try:
        return Project.model_validate(data)
    except ValidationError as error:
        lines = dict.fromkeys(_describe(each, data) for each in error.errors(include_url=False))
        raise InvalidProjectError("\n".join([f"{str(path)!r} is not valid:", *lines])) from error


_TEXT = re.compile(r"[yYnN]|[-+]?\d[\d_]*[eE][-+]?\d+|[-+]?[\d._]+[eE]\d+")


class _Resolver(VersionedResolver):
    """Knows the words of YAML 1.1, except letters that are names rather than a yes or a no, and commits such as 12e34."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is ScalarNode and implicit[0] and _TEXT.fullmatch(value):
            implicit = (False, implicit[1])
        return super().resolve(kind, value, implicit)


def parse_yaml(path: Path, text: str) -> Any:
    """The values of a YAML file. Dates are text in them, as in JSON.

    Raises:
        InvalidProjectError: It is not YAML.
    """
    # The words of YAML 1.1, such as `yes`, are those that project files have always been read with.
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver = _Resolver
    yaml.version = (1, 1)
    try:
        with warnings.catch_warnings():
            # `1e3` is a number here, and nothing to warn of.
            warnings.simplefilter("ignore", YAMLWarning)
            return _plain(yaml.load(StringIO(text)))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InvalidProjectError(
            f"{str(path)!r} is not valid YAML{where}: {error.problem or error.context}."
        ) from error
    except (YAMLError, ValueError) as error:
        raise InvalidProjectError(f"{str(path)!r} is not valid YAML: {error}.") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key) if not isinstance(key, str) else key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def _kind(value: Any) -> str:
    return "a list" if isinstance(value, list) else f"the single value {value!r}"


def _describe(problem: Any, data: dict[str, Any]) -> str:
    # The names of the alternatives that a value could have been say nothing to whoever wrote it.
    place = [part for part in problem["loc"] if isinstance(part, int) or "[" not in part]
    place = [part for part in place if part not in ("ScheduleEntry", "LimitEntry", "int", "float", "bool", "timedelta")]
    reason = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if problem["type"] == "extra_forbidden":
        reason = "no such key"
    elif problem["msg"].startswith("Input should be "):
        reason = f"should be {reason}, not {problem['input']!r}"
    subject = ""
    if place[:1] == ["deployments"] and len(place) > 1:
        entry = data["deployments"][place[1]] if isinstance(data["deployments"], list) else None
        name = entry.get("name") if isinstance(entry, dict) else None
        subject, place = f"{name or f'#{place[1] + 1}'}: ", place[2:]
    where = ".".join(str(part) for part in place)
    return f"  • {subject}{f'{where}: ' if where else ''}{reason}"
