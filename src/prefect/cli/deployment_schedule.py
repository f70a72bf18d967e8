"""`prefect deployment schedule`: see and change the schedules of deployments."""

from typing import Any
from uuid import UUID

import click

from prefect.cli import _output, _params
from prefect.cli._api import compose, connect, missing_is, read_pages
from prefect.cli._commands import command_group
from prefect.cli._deployments import read_deployment
from prefect.cli._run_states import id_column
from prefect.cli._schedules import schedule_of
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.schedules import SCHEDULE_TYPES, CronSchedule, IntervalSchedule, RRuleSchedule

schedule = command_group("schedule", "Work with the schedules of deployments.")

_NAME = "The deployment, as <flow name>/<deployment name>."


@schedule.command("create")
@_params.argument("name", "--name", _NAME)
@_params.option("--interval", type=float, help="Seconds between two runs.")
@_params.option("--anchor-date", help="An instant from which the interval is counted, in ISO 8601.")
@_params.option("--rrule", help="A recurrence rule (RFC 5545), or a JSON object with `rrule` and `timezone`.")
@_params.option("--cron", help="A cron line.")
@_params.switch("--day_or", default=True, help="Whether a cron line that names days of both kinds wants either.")
@_params.option("--timezone", help="Name of a time zone, such as America/New_York.")
@_params.switch("--active", default=True, help="Whether the schedule works.")
@_params.switch("--replace", help="Delete the schedules that the deployment has.")
@_params.switch("--accept-yes", "-y", help="Do not ask.")
def create(name: str, active: bool, replace: bool, accept_yes: bool, **options: Any) -> None:
    """Add a schedule to a deployment."""
    new = schedule_of(**options)
    if new is None:
        _output.fail("Exactly one of --interval, --rrule, or --cron must be provided.")
    with connect() as client:
        found = read_deployment(client, name)
        if replace and found.schedules:
            many = f"{len(found.schedules)} schedule{'' if len(found.schedules) == 1 else 's'}"
            _output.confirm_or_abort(f"Replace the {many} of deployment {name!r}?", accept_yes)
            for each in found.schedules:
                client.delete_deployment_schedule(found.id, each.id)
            _output.echo(f"Deleted {many}.")
        client.create_deployment_schedules(found.id, [compose(DeploymentScheduleCreate, schedule=new, active=active)])
    _output.success("Created deployment schedule!")


@schedule.command("ls")
@_params.argument("deployment_name", "--deployment-name", _NAME)
@_params.output()
def ls(deployment_name: str, as_json: bool) -> None:
    """List the schedules of a deployment."""
    with connect() as client:
        schedules = read_deployment(client, deployment_name).schedules
    if as_json:
        _output.print_json(schedules)
        return
    if not schedules:
        _output.echo(f"No schedules of deployment {deployment_name!r} found.")
        return
    rows = [(str(each.id), _in_words(each.schedule), str(each.active)) for each in schedules]
    _output.print_table("Deployment Schedules", [id_column(), ("Schedule", {"style": "cyan"}), "Active"], rows)


def _in_words(schedule: SCHEDULE_TYPES) -> str:
    if isinstance(schedule, IntervalSchedule):
        return f"interval: {schedule.interval}s"
    if isinstance(schedule, CronSchedule):
        return f"cron: {schedule.cron}{_zone(schedule)}"
    if isinstance(schedule, RRuleSchedule):
        return f"rrule: {schedule.rrule}{_zone(schedule)}"
    return "none"


def _zone(schedule: CronSchedule | RRuleSchedule) -> str:
    return f" ({schedule.timezone})" if schedule.timezone not in (None, "UTC") else ""


@schedule.command("delete")
@_params.argument("deployment_name", "--deployment-name", _NAME)
@_params.argument("schedule_id", "--schedule-id", "Id of the schedule.", type=click.UUID)
@_params.switch("--accept-yes", "-y", help="Do not ask.")
def delete(deployment_name: str, schedule_id: UUID, accept_yes: bool) -> None:
    """Delete a schedule of a deployment."""
    with connect() as client:
        found = read_deployment(client, deployment_name)
        _output.confirm_or_abort(f"Delete schedule '{schedule_id}' of deployment {deployment_name!r}?", accept_yes)
        with missing_is(f"Deployment {deployment_name!r} has no schedule '{schedule_id}'."):
            client.delete_deployment_schedule(found.id, schedule_id)
    _output.success(f"Deleted deployment schedule '{schedule_id}'.")


@schedule.command("clear")
@_params.argument("deployment_name", "--deployment-name", _NAME)
@_params.switch("--accept-yes", "-y", help="Do not ask.")
def clear(deployment_name: str, accept_yes: bool) -> None:
    """Delete all schedules of a deployment."""
    with connect() as client:
        found = read_deployment(client, deployment_name)
        _output.confirm_or_abort(f"Delete all schedules of deployment {deployment_name!r}?", accept_yes)
        for each in found.schedules:
            client.delete_deployment_schedule(found.id, each.id)
    _output.success(f"Cleared all schedules of deployment {deployment_name!r}.")


@schedule.command("pause")
@_params.argument("deployment_name", "--deployment_name", _NAME, required=False)
@_params.argument("schedule_id", "--schedule_id", "Id of the schedule.", required=False, type=click.UUID)
@_params.switch("--all", help="Pause the schedules of all deployments.")
def pause(deployment_name: str | None, schedule_id: UUID | None, all: bool) -> None:
    """Let a schedule of a deployment rest, or all schedules of all deployments."""
    _set_active(deployment_name, schedule_id, all, False)


@schedule.command("resume")
@_params.argument("deployment_name", "--deployment_name", _NAME, required=False)
@_params.argument("schedule_id", "--schedule_id", "Id of the schedule.", required=False, type=click.UUID)
@_params.switch("--all", help="Resume the schedules of all deployments.")
def resume(deployment_name: str | None, schedule_id: UUID | None, all: bool) -> None:
    """Let a schedule of a deployment work again, or all schedules of all deployments."""
    _set_active(deployment_name, schedule_id, all, True)


def _set_active(name: str | None, schedule_id: UUID | None, all: bool, is_active: bool) -> None:
    if all and (name is not None or schedule_id is not None):
        _output.fail("Give a deployment and the id of its schedule, or --all, but not both.")
    if not all and (name is None or schedule_id is None):
        _output.fail("Must provide deployment name and schedule ID, or use --all.")
    done = "Resumed" if is_active else "Paused"
    with connect() as client:
        if not all:
            found = read_deployment(client, name)
            current = next((each for each in found.schedules if each.id == schedule_id), None)
            if current is None:
                _output.fail(f"Deployment {name!r} has no schedule '{schedule_id}'.")
            if current.active is is_active:
                _output.fail(f"Schedule '{schedule_id}' is {'active' if is_active else 'inactive'} already.")
            client.update_deployment_schedule(found.id, current.id, active=is_active)
            _output.success(f"{done} schedule '{schedule_id}' of deployment {name!r}.")
            return
        todo = [
            (deployment, each)
            for deployment in read_pages(client.read_deployments)
            for each in deployment.schedules
            if each.active is not is_active
        ]
        if todo:
            question = f"{'Resume' if is_active else 'Pause'} {len(todo)} schedules of all deployments?"
            _output.confirm_or_abort(question)
        for deployment, each in todo:
            client.update_deployment_schedule(deployment.id, each.id, active=is_active)
    _output.success(f"{done} {len(todo)} deployment schedule(s).")
