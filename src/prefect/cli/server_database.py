"""`prefect server database`: bring the server's database up to date, or begin it anew."""

from typing import NoReturn

from prefect.cli import _output, _params, _session
from prefect.cli._commands import command_group

database = command_group("database", "Look after the server's database.")


@database.command("reset")
@_params.yes()
def reset(yes: bool) -> None:
    """Delete everything in the database, and make its tables anew.

    Stop the servers that use it first. Tables of other programs in the same database stay.
    """
    from prefect.cli._database import database_url, read_schema_version, reset_database  # noqa: PLC0415 - as below

    url = database_url()
    label = read_schema_version(url).label
    if not yes and not _session.is_interactive():
        _output.fail(f"This deletes everything in {label}. There is nobody to ask here: pass --yes to agree.")
    _output.confirm_or_abort(f"Delete all flow runs, deployments, blocks and everything else in {label}?", yes)
    reset_database(url)
    _output.success(f"The database {label} was reset: it is empty.")


@database.command("upgrade")
@_params.yes()
@_params.option("--revision", "-r", default="head", show_default=True, help="The version to reach: the newest one.")
@_params.switch("--dry-run", help="Show what would be done.")
def upgrade(yes: bool, revision: str, dry_run: bool) -> None:
    """Bring the database to the version of this release. A server does the same when it starts."""
    # Imported here: help, and all other commands for servers, need no database.
    from prefect.cli._database import database_url, read_schema_version, upgrade_database  # noqa: PLC0415

    url = database_url()
    found = read_schema_version(url)
    if revision not in ("head", str(found.newest)):
        _output.fail(
            f"Cannot stop at version {revision!r}: this release works with version {found.newest} only. Leave out --revision."
        )
    if not found.pending:
        _output.success(f"The database {found.label} is up to date (version {found.version}).")
        return
    for migration in found.pending:
        _output.echo(f"  {migration.version:04} {migration.name.replace('_', ' ')}")
    step = f"from version {found.version} to {found.newest}"
    if dry_run:
        _output.echo(f"The database {found.label} would be upgraded {step}.")
        return
    _output.confirm_or_abort(f"Upgrade the database {found.label} {step}?", yes)
    upgrade_database(url)
    _output.success(f"The database {found.label} was upgraded {step}.")


@database.command("downgrade")
@_params.yes()
@_params.option("--revision", "-r", default="-1", show_default=True, help="Not used.")
@_params.switch("--dry-run", help="Not used.")
def downgrade(yes: bool, revision: str, dry_run: bool) -> None:
    """Say how to go back to an older release; databases are not taken back."""
    _refuse(
        "Databases are only ever upgraded, because going back would drop what newer releases have stored. To return to an "
        "older release, restore the backup that was made before the upgrade (SQLite: the file; PostgreSQL: pg_restore), or "
        "give that release an empty database."
    )


@database.command("revision")
@_params.option("--message", "-m", help="Not used.")
@_params.switch("--autogenerate", help="Not used.")
def revision(message: str | None, autogenerate: bool) -> None:
    """Say where migrations come from; users make none."""
    _refuse(
        "Migrations belong to the release: they are the numbered SQL files in prefect/server/database/migrations. Tables of "
        "your own are safe beside these, in another database or schema."
    )


@database.command("stamp")
@_params.argument("revision", "--revision", "Not used.")
def stamp(revision: str) -> None:
    """Say why versions are not written by hand."""
    _refuse(
        f"Cannot declare that the database has version {revision!r}: each migration writes its version in the transaction "
        "that makes the change, so that the two never differ. `prefect server database upgrade` applies what is missing; "
        "`prefect server database upgrade --dry-run` shows it."
    )


def _refuse(reason: str) -> NoReturn:
    _output.fail(reason)
