"""Chooses among the entries of a project file by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from prefect._loading.source import load_flow_arguments_from_entrypoint
from prefect.deployments._project.entries import DeploymentEntry


@dataclass(frozen=True)
class Selection:
    """What names have chosen.

    Attributes:
        entries: The chosen entries, each once, in the order of the names, then of the file.
        ambiguous: The entries of each plain name that several have.
        missing: The names that no entry has.
    """

    entries: list[DeploymentEntry] = field(default_factory=list)
    ambiguous: dict[str, list[DeploymentEntry]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def select(entries: Sequence[DeploymentEntry], names: Sequence[str]) -> Selection:
    """Choose the entries that have one of several names.

    Args:
        entries: Those of the file.
        names: Each is the name of a deployment, with its flow's name and a slash before it or without. `*` stands for
            anything. A flow goes by its own name and by that of its function.
    """
    chosen: list[DeploymentEntry] = []
    ambiguous: dict[str, list[DeploymentEntry]] = {}
    missing: list[str] = []
    for name in names:
        found = [entry for entry in entries if _has_name(entry, name)]
        if not found:
            missing.append(name)
        elif len(found) > 1 and "*" not in name:
            ambiguous[name] = found
        chosen += [entry for entry in found if not any(entry is each for each in chosen)]
    return Selection(chosen, ambiguous, missing)


def _has_name(entry: DeploymentEntry, name: str) -> bool:
    if not entry.name:
        return False
    flow, slash, deployment = name.rpartition("/")
    if not _matcher(deployment)(entry.name):
        return False
    return not slash or any(map(_matcher(flow), _flow_names(entry)))


def _matcher(pattern: str) -> Callable[[str], bool]:
    if "*" not in pattern:
        return lambda text: text == pattern
    # Only `*` is special.
    literal = pattern.replace("[", "[[]").replace("?", "[?]")
    return lambda text: fnmatchcase(text, literal)


def _flow_names(entry: DeploymentEntry) -> set[str]:
    if not entry.entrypoint:
        return set()
    function = entry.entrypoint.replace(":", ".").rpartition(".")[2]
    names = {function, function.replace("_", "-")}
    try:
        # Read, not loaded: most entries will not be deployed.
        names.add(str(load_flow_arguments_from_entrypoint(entry.entrypoint, {"name"})["name"]))
    except (OSError, ValueError, KeyError, ImportError, SyntaxError):
        pass
    return names
