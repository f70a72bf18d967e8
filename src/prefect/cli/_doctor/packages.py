"""Checks of installed packages: whether those that build on this one find what they require."""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions

from prefect.cli._doctor.findings import Finding

_REQUIREMENT = re.compile(r"^([A-Za-z0-9][\w.-]*)\s*(?:\[[^]]*\])?\s*\(?([^;)]*)\)?\s*(;.*)?$")
_CONDITION = re.compile(r"^(===|==|!=|~=|<=|>=|<|>)\s*([^\s]+)$")
_VERSION = re.compile(
    r"^v?(?:\d+!)?(\d+(?:\.\d+)*)[._-]?(a|alpha|b|beta|c|rc|pre|preview|dev)?[._-]?(\d*)", re.IGNORECASE
)


def check_integrations() -> Iterator[Finding]:
    """Packages named `prefect-…` that lack something, or have it in another version than they require."""
    installed = {_plain(each.metadata["Name"] or ""): each for each in distributions()}
    if "prefect-client" in installed:
        yield Finding(
            "second-prefect",
            "error",
            "The package prefect-client is installed beside prefect; both install the module `prefect`.",
            "Files of the one replace files of the other.",
            "`pip uninstall prefect-client`, then `pip install --force-reinstall --no-deps prefect`.",
        )
    for name, package in sorted(installed.items()):
        if name.startswith("prefect-") and name != "prefect-client":
            for requirement in package.requires or ():
                yield from _check(package, requirement, installed)


def _check(package: Distribution, requirement: str, installed: dict[str, Distribution]) -> Iterator[Finding]:
    parsed = _REQUIREMENT.match(requirement)
    if parsed is None or parsed[3]:
        return  # for an extra, another platform or another Python
    name, conditions = _plain(parsed[1]), parsed[2].strip()
    found = installed.get(name)
    if found is not None and all(_holds(found.version, each.strip()) for each in conditions.split(",") if each.strip()):
        return
    wanted = f"{parsed[1]}{conditions}"
    has = "it is not installed" if found is None else f"version {found.version} is installed"
    yield Finding(
        "integration-requirement",
        "error",
        f"{package.metadata['Name']} {package.version} requires {wanted}, but {has}.",
        "Its import, or a call into it, fails.",
        f'`pip install --upgrade {package.metadata["Name"]}`, which brings what it needs, or `pip install "{wanted}"`.',
    )


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _holds(version: str, condition: str) -> bool:
    """Whether a version meets a condition such as `>=2.1`; conditions of a form that is not known are not judged."""
    parsed = _CONDITION.match(condition)
    if parsed is None:
        return True
    operator, wanted = parsed[1], parsed[2]
    here = _order(version)
    if wanted.endswith(".*"):
        prefix = _order(wanted[:-2])[0]
        is_within = (here[0] + (0,) * len(prefix))[: len(prefix)] == prefix
        return is_within if operator == "==" else not is_within
    there = _order(wanted)
    size = max(len(here[0]), len(there[0]))
    left, right = (_filled(here, size), _filled(there, size))
    if operator == "~=":
        start = there[0][:-1]
        return left >= right and here[0][: len(start)] == start
    return {
        "===": version == wanted, "==": left == right, "!=": left != right, "<=": left <= right, ">=": left >= right,
        "<": left < right, ">": left > right,
    }[operator]  # fmt: skip


_Order = tuple[tuple[int, ...], tuple[int, int]]


def _order(version: str) -> _Order:
    parsed = _VERSION.match(version.strip())
    if parsed is None:
        return (0,), (9, 0)
    stage = {"d": 0, "a": 1, "b": 2, "c": 3, "r": 3, "p": 3}.get((parsed[2] or "")[:1].lower(), 9)
    return tuple(map(int, parsed[1].split("."))), (stage, int(parsed[3] or 0) if stage < 9 else 0)


def _filled(order: _Order, size: int) -> _Order:
    return order[0] + (0,) * (size - len(order[0])), order[1]
