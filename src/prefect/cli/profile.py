"""`prefect profile`: named sets of settings, and which of them is active."""

import os
import shutil
from pathlib import Path

from prefect.cli import _output, _params, _session
from prefect.cli._commands import command_group
from prefect.cli._connectivity import check_connection
from prefect.settings.constants import DEFAULT_PROFILES_PATH
from prefect.settings.context import current_profile_file
from prefect.settings.profiles import Profile, ProfilesCollection, load_profiles, save_profiles

profile = command_group("profile", "Switch between sets of settings.")


@profile.command("ls")
@_params.output()
def ls(as_json: bool) -> None:
    """List the profiles of the profiles file."""
    profiles = load_profiles(include_defaults=False)
    active, _ = current_profile_file()
    if as_json:
        _output.print_json([{"name": name, "active": name == active} for name in profiles])
        return
    if not profiles.names:
        _output.echo("No profiles found. Add the packaged ones: prefect profile populate-defaults")
        return
    rows = [[f"* {name}" if name == active else name] for name in profiles]
    _output.print_table("", [("Available Profiles:", {"justify": "right"})], rows, caption="* active profile")


@profile.command("create")
@_params.argument("name", "--name", "Name of the new profile.")
@_params.option("--from", "from_name", metavar="NAME", help="Copy the settings of this profile.")
def create(name: str, from_name: str | None) -> None:
    """Create a profile. It does not become active."""
    profiles = load_profiles(include_defaults=False)
    if name in profiles.profiles_by_name:
        _output.fail(f"Profile {name!r} already exists. Delete it first: prefect profile delete {name!r}")
    settings = {} if from_name is None else dict(_existing(profiles, from_name).settings)
    profiles.add_profile(Profile(name=name, settings=settings))
    save_profiles(profiles)
    _output.success(f"Created profile {name!r}" + (f" from {from_name!r}." if from_name else "."))
    _output.echo(f"\nUse it from now on:\n    prefect profile use {name!r}")
    _output.echo(f"\nUse it for a single command:\n    prefect -p {name!r} config view")


@profile.command("use")
@_params.argument("name", "--name", "Name of the profile.")
def use(name: str) -> None:
    """Make a profile the active one, and see whether its API answers."""
    profiles = load_profiles()
    chosen = _existing(profiles, name)
    profiles.set_active(name)
    if chosen.source == DEFAULT_PROFILES_PATH:
        # A packaged profile that is used becomes the user's own, so that it shows up among the others.
        profiles.update_profile(name, {})
    save_profiles(profiles)
    if os.environ.get("PREFECT_PROFILE", name) != name:
        _output.note(
            f"The environment variable PREFECT_PROFILE still chooses {os.environ['PREFECT_PROFILE']!r}."
            " Run `unset PREFECT_PROFILE` to clear it."
        )
    connection = check_connection(chosen)
    if not connection.is_usable:
        _output.fail(connection.message)
    _output.success(connection.message)


@profile.command("delete")
@_params.argument("name", "--name", "Name of the profile.")
def delete(name: str) -> None:
    """Delete a profile that is not active."""
    profiles = load_profiles(include_defaults=False)
    _existing(profiles, name)
    active, _ = current_profile_file()
    if name in (active, profiles.active_name):
        _output.fail(f"Profile {name!r} is the active profile. Switch to another one before you delete it.")
    _output.confirm_or_abort(f"Delete profile {name!r}?")
    profiles.remove_profile(name)
    save_profiles(profiles)
    _output.success(f"Removed profile {name!r}.")


@profile.command("rename")
@_params.argument("name", "--name", "Name of the profile.")
@_params.argument("new_name", "--new-name", "The name that it gets.")
def rename(name: str, new_name: str) -> None:
    """Give a profile another name. An active profile stays active."""
    profiles = load_profiles(include_defaults=False)
    present = _existing(profiles, name)
    if new_name in profiles.profiles_by_name:
        _output.fail(f"Profile {new_name!r} already exists.")
    profiles.add_profile(present.model_copy(update={"name": new_name}))
    profiles.remove_profile(name)
    if profiles.active_name == name:
        profiles.set_active(new_name)
    save_profiles(profiles)
    if os.environ.get("PREFECT_PROFILE") == name:
        _output.note(f"The environment variable PREFECT_PROFILE still chooses {name!r}, which is gone. Change it.")
    _output.success(f"Renamed profile {name!r} to {new_name!r}.")


@profile.command("inspect")
@_params.argument("name", "--name", "Name of the profile; the active one if not given.", required=False)
@_params.output()
def inspect(name: str | None, as_json: bool) -> None:
    """Show the settings of a profile."""
    if name is None:
        name, _ = current_profile_file()
        if not as_json:
            _output.echo(f"No name given, so this is the active profile {name!r}.")
    values = _existing(load_profiles(), name).to_environment_variables()
    if as_json:
        _output.print_json(values)
    elif not values:
        _output.echo(f"Profile {name!r} is empty.")
    for setting, value in () if as_json else values.items():
        _output.echo(f"{setting}='{value}'")


@profile.command("populate-defaults")
def populate_defaults() -> None:
    """Add the packaged profiles that are missing from the profiles file."""
    _, path = current_profile_file()
    own = load_profiles(include_defaults=False)
    profiles = load_profiles()
    missing = sorted(profiles.names - own.names)
    if not missing:
        _output.success("No changes needed: all packaged profiles are there.")
        return
    _output.echo("Proposed changes:")
    for name in missing:
        _output.echo(f"  • Add {name!r}")
    if _session.is_interactive():
        _offer_backup(path)
        _output.confirm_or_abort(f"Update profiles at {path}?")
    for name in missing:
        profiles.update_profile(name, {})
    save_profiles(profiles)
    _output.success(f"Profiles updated in {path}")
    _output.echo("Use with prefect profile use [PROFILE-NAME]\n\nAvailable profiles:")
    for name in sorted(profiles.names):
        _output.echo(f"  - {name}")


def _existing(profiles: ProfilesCollection, name: str) -> Profile:
    if name not in profiles.profiles_by_name:
        _output.fail(f"Profile {name!r} not found.")
    return profiles[name]


def _offer_backup(path: Path) -> None:
    backup = path.with_suffix(".toml.bak")
    if path.exists() and _output.confirm(f"Back up the file to {backup}?"):
        shutil.copy2(path, backup)
        _output.success(f"Profiles backed up to {backup}")
