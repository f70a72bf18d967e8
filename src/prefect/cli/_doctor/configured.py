"""Checks of what is configured: profiles, variables, and which of them hides which."""

import os
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from prefect.cli._doctor.findings import Finding
from prefect.settings._catalog import entries, origins, paths_by_variable
from prefect.settings._snapshot import DOTENV_PATH, is_for_integration, profiles_path, read_snapshot
from prefect.settings.constants import DEFAULT_PROFILES_PATH

_OTHER_NAMES = ("PREFECT_PROFILE", "PREFECT_TEST_POSTGRES_URL", "PREFECT_TEST_UPSTREAM_PYTHON")
_OTHER_PREFIXES = (
    "PREFECT__",  # between the processes of this package
    "PREFECT_LOGGING_FORMATTERS_",
    "PREFECT_LOGGING_HANDLERS_",
    "PREFECT_LOGGING_LOGGERS_",
    "PREFECT_LOGGING_ROOT_",
)
_MASK = "********"


def check_shadowed() -> Iterator[Finding]:
    """Settings of the active profile that something stronger replaces by another value."""
    snapshot = read_snapshot()
    if snapshot.profile_source == DEFAULT_PROFILES_PATH:
        return  # the user has written nothing into it
    paths, strongest, known = paths_by_variable(), origins(), entries()
    for name, value in snapshot.profile.items():
        path = paths.get(name)
        origin = strongest.get(path) if path else None
        if path is None or origin is None or origin.source == "profile" or str(origin.value) == str(value):
            continue
        is_secret = known[path].leaf.is_secret
        here, there = (_MASK, _MASK) if is_secret else (value, origin.value)
        where = "environment variable" if origin.source == "env" else f"entry in the {origin.source}"
        if origin.source == "env":
            cure = f"`unset {origin.name}`, or take it out of the profile: `prefect config unset {name}`."
        else:
            cure = f"Remove {origin.name} there, or take it out of the profile: `prefect config unset {name}`."
        yield Finding(
            "shadowed-setting",
            "warning",
            f"The profile {snapshot.profile_name!r} says {name}={here!r}, but the {where} {origin.name}={there!r} applies.",
            "What you change with `prefect config set` has no effect while the other one is stronger.",
            cure,
        )


def check_unknown() -> Iterator[Finding]:
    """Variables that look like settings and are none, so that they do nothing."""
    snapshot = read_snapshot()
    profile = f"profile {snapshot.profile_name!r}"
    for where, values in (
        ("environment", os.environ),
        (f"file {DOTENV_PATH}", snapshot.dotenv),
        (profile, snapshot.profile),
    ):
        for name in sorted(values):
            if _is_unknown(name.upper()):
                yield _unknown(name, where)


def _is_unknown(name: str) -> bool:
    if not name.startswith("PREFECT_") or name in paths_by_variable() or is_for_integration(name):
        return False
    return name not in _OTHER_NAMES and not name.startswith(_OTHER_PREFIXES)


def _unknown(name: str, where: str) -> Finding:
    close = get_close_matches(name.upper(), paths_by_variable(), n=1, cutoff=0.75)
    cure = (
        f"Did you mean {close[0]}? Rename it."
        if close
        else "Remove it. `prefect config view --show-defaults` lists all."
    )
    return Finding(
        "unknown-setting",
        "warning",
        f"{name}, in the {where}, is not a setting.",
        "It is ignored: whatever it was meant to change has its default.",
        cure,
    )


def check_profile() -> Iterator[Finding]:
    """A profile that PREFECT_PROFILE or the profiles file chooses, and that does not exist."""
    snapshot = read_snapshot()
    wanted = snapshot.environ.get("PREFECT_PROFILE")
    if wanted and wanted != snapshot.profile_name:
        yield Finding(
            "missing-profile",
            "error",
            f"PREFECT_PROFILE chooses the profile {wanted!r}, which does not exist in {profiles_path(snapshot)}.",
            f"The settings of {snapshot.profile_name!r} apply instead, and so may another API.",
            f"`prefect profile create {wanted}`, or `unset PREFECT_PROFILE`. `prefect profile ls` lists those that exist.",
        )


def check_extras(settings: Any) -> Iterator[Finding]:
    """What is switched on and needs a package that is not installed."""
    from importlib.util import find_spec  # noqa: PLC0415 - only this check looks for packages

    wanted = [
        ("PREFECT_SERVER_METRICS_ENABLED", settings.server.metrics_enabled, "prometheus_client", "metrics"),
        ("PREFECT_CLIENT_METRICS_ENABLED", settings.client.metrics.enabled, "prometheus_client", "metrics"),
        ("OTEL_PYTHON_TRACER_PROVIDER", os.environ.get("OTEL_PYTHON_TRACER_PROVIDER"), "opentelemetry", "otel"),
        ("OTEL_TRACES_EXPORTER", os.environ.get("OTEL_TRACES_EXPORTER", "none") != "none", "opentelemetry", "otel"),
    ]
    for variable, is_on, module, extra in wanted:
        if is_on and find_spec(module) is None:
            yield Finding(
                "missing-extra",
                "error",
                f"{variable} is set, but the package {module!r} is not installed.",
                "Nothing is measured, and a server with metrics does not start.",
                f'`pip install "prefect[{extra}]"`, or unset {variable}.',
            )
