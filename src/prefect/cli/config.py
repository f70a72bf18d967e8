"""`prefect config`: see and change settings."""

from typing import Any

import click

from prefect.cli import _output, _params
from prefect.cli._commands import command_group
from prefect.cli._errors import describe_settings
from prefect.exceptions import ProfileSettingsValidationError
from prefect.settings._catalog import NOT_IN_PROFILES, entries, origins, paths_by_variable
from prefect.settings.context import current_profile_file, get_active_settings
from prefect.settings.legacy import setting_at, setting_named
from prefect.settings.profiles import load_profiles, save_profiles, update_current_profile

config = command_group("config", "See and change settings.")

MASK = "********"


@config.command("view")
@_params.switch("--show-defaults", negative="--hide-defaults", help="Show settings that nothing sets, too.")
@_params.switch("--show-sources", negative="--hide-sources", default=True, help="Say where each value comes from.")
@_params.switch("--show-secrets", negative="--hide-secrets", help="Show secrets in clear.")
@_params.output()
def view(show_defaults: bool, show_sources: bool, show_secrets: bool, as_json: bool) -> None:
    """Show the settings that apply here.

    The strongest source counts: environment, .env file, prefect.toml, pyproject.toml, profile, defaults.
    """

    active = get_active_settings()
    found = _found(active.settings, show_defaults, show_secrets)
    ui_url = active.settings.ui_url
    if as_json:
        listed = [{"name": name, "value": value, "source": source} for name, value, source in found]
        link = {"ui_url": ui_url} if ui_url else {}
        _output.print_json({"profile": active.profile_name, "settings": listed} | link)
        return
    if ui_url:
        _output.echo("🚀 you are connected to:")
        _output.success(ui_url)
    _output.echo(f"PREFECT_PROFILE={active.profile_name!r}", bold=True)
    for name, value, source in found:
        click.echo(f"{name}='{value}'" + (f" (from {source})" if show_sources else ""))


@config.command("set")
@_params.argument("settings", "--settings", "Assignments: NAME=VALUE.", many=True)
def set_(settings: tuple[str, ...]) -> None:
    """Write settings to the active profile.

    Nothing is written if one of the assignments is not valid.
    """

    assignments: dict[str, str] = {}
    for assignment in settings:
        name, equals, value = assignment.partition("=")
        if not equals:
            _output.fail(f"Cannot read {assignment!r}. Write it as NAME=VALUE.")
        path = paths_by_variable().get(name)
        if path is None:
            _output.fail(f"Unknown setting name {name!r}.{_suggestion(name)}")
        if path in NOT_IN_PROFILES:
            _output.fail(f"{name!r} cannot be in a profile: it says where profiles are. Set an environment variable.")
        assignments[name] = value
    _reporting_bad_values(update_current_profile, assignments)
    for name, value in assignments.items():
        shown = MASK if setting_named(name).is_secret else value
        _output.success(f"Set {name!r} to {shown!r}.")
        _note_environment(name)
    _report_updated_profile()


@config.command("validate")
def validate() -> None:
    """Check the active profile, and write its settings under their present names."""

    name, _ = current_profile_file()
    profiles = load_profiles()
    _reporting_bad_values(profiles[name].validate_settings)
    save_profiles(profiles)
    _output.success(f"The settings of profile {name!r} are valid.")


@config.command("unset")
@_params.argument("setting_names", "--setting-names", "Names of settings.", many=True)
@_params.yes()
def unset(setting_names: tuple[str, ...], yes: bool) -> None:
    """Remove settings from the active profile."""

    profile_name, _ = current_profile_file()
    present = load_profiles()[profile_name].settings
    for name in setting_names:
        if name not in paths_by_variable():
            _output.fail(f"Unknown setting name {name!r}.{_suggestion(name)}")
        if setting_named(name) not in present:
            _output.fail(f"{name!r} is not set in profile {profile_name!r}.")
    names = ", ".join(repr(name) for name in setting_names)
    _output.confirm_or_abort(f"Remove {names} from profile {profile_name!r}?", yes)
    update_current_profile(dict.fromkeys(setting_names))
    for name in setting_names:
        _output.success(f"Unset {name!r}.")
        _note_environment(name)
    _report_updated_profile()


def _found(settings: Any, show_defaults: bool, show_secrets: bool) -> list[tuple[str, str, str]]:
    """Name, value and source of settings, sorted by name."""

    explicit, written = settings.explicit_values(), origins()
    found: list[tuple[str, str, str]] = []
    for entry in sorted(entries().values(), key=lambda entry: entry.name):
        origin = written.get(entry.path)
        if origin is not None:
            value, source = origin.value, origin.source
        elif entry.path in explicit:
            value, source = setting_at(entry.path).value_from(settings), "runtime"
        elif show_defaults:
            value, source = setting_at(entry.path).value_from(settings), "defaults"
        else:
            continue
        found.append((entry.name, MASK if entry.leaf.is_secret and not show_secrets else str(value), source))
    return found


def _reporting_bad_values(change: Any, *arguments: Any) -> None:
    """Change a profile; end the command with a message if a value does not fit its setting."""

    try:
        change(*arguments)
    except ProfileSettingsValidationError as error:
        _output.fail("\n".join(describe_settings(problem) for _, problem in error.errors))


def _note_environment(name: str) -> None:
    """Say so if an environment variable hides what the profile says."""

    origin = origins().get(paths_by_variable()[name])
    if origin is not None and origin.source == "env":
        _output.note(
            f"{origin.name} is also set by an environment variable, which is stronger than the profile."
            f" Run `unset {origin.name}` to clear it."
        )


def _report_updated_profile() -> None:

    _output.echo(f"Updated profile {current_profile_file()[0]!r}.")


def _suggestion(name: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only mistakes need it

    close = get_close_matches(name.upper(), paths_by_variable(), n=1, cutoff=0.8)
    return f" Did you mean {close[0]!r}?" if close else ""
