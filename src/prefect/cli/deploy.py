"""`prefect deploy` and `prefect init`: deployments from `prefect.yaml`, and the first one of such a file."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from prefect.cli import _params
from prefect.cli._commands import PrefectGroup, command

_INIT_OPTIONS = [
    _params.option("--name", help="Name of the project; by default that of the folder."),
    _params.option("--recipe", help="How the code is kept, such as git or docker; by default as fits the folder."),
    _params.repeatable("--field", "-f", help="An input of the recipe, as key=value. May be given several times."),
]


class _DeployGroup(PrefectGroup):
    """A group that is mostly called as a command: its first word is an entrypoint, unless it is `init`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args[:1] and args[0] in self.commands:
            super().parse_args(ctx, [])
            ctx._protected_args, ctx.args = args[:1], args[1:]
            return ctx.args
        # Options may stand behind the entrypoint, as with any command.
        ctx.allow_interspersed_args = True
        return super().parse_args(ctx, args)


@click.group("deploy", cls=_DeployGroup, invoke_without_command=True)
@_params.argument(
    "entrypoint", "--entrypoint", "The flow, as path/to/file.py:flow or package.module.flow.", required=False
)
@_params.repeatable(
    "--name", "-n", help="Deploy the entry of this name, or those that fit a pattern with *; or name a new one."
)
@_params.option("--description", "-d", help="Describes the deployment; by default as the flow does.")
@_params.option(
    "--version-type", help="Where the version is from: prefect:simple, or vcs:github, vcs:gitlab, vcs:git, …"
)
@_params.option("--version", help="Version of the deployment.")
@_params.repeatable("--tag", "-t", help="Tag of its runs, instead of the entry's tags.")
@_params.option("--concurrency-limit", "-cl", type=int, help="How many of its runs may go at once.")
@_params.option("--collision-strategy", help="What becomes of runs above the limit: ENQUEUE or CANCEL_NEW.")
@_params.option("--pool", "-p", help="The work pool whose workers run it.")
@_params.option("--work-queue", "-q", help="A queue of the work pool; made if it is not there.")
@_params.repeatable(
    "--job-variable", "-jv", help="Overrides one of the work pool's job variables: key=value, or a JSON object."
)
@_params.repeatable("--cron", help="Run it at the times of this cron line, too.")
@_params.repeatable("--interval", type=int, help="Run it every so many seconds, too.")
@_params.option("--anchor-date", help="An instant from which intervals are counted, in ISO 8601.")
@_params.repeatable("--rrule", help="Run it by this recurrence rule (RFC 5545), too.")
@_params.option("--timezone", help="Time zone of its schedules, such as America/New_York.")
@_params.repeatable(
    "--trigger", help="What starts runs of it, instead of the entry's triggers: JSON, or a .yaml or .json file."
)
@_params.repeatable("--param", help="A parameter of its runs, as key=value; the value is read as JSON if it is.")
@_params.option("--params", help="Parameters of its runs as a JSON object; - reads it from the input.")
@_params.switch(
    "--enforce-parameter-schema", default=True, help="Whether runs are refused whose parameters do not fit the flow."
)
@_params.switch("--all", help="Deploy every entry of the file.")
@_params.option(
    "--prefect-file", type=click.Path(path_type=Path), default=Path("prefect.yaml"), help="The project file."
)
@_params.repeatable("--sla", help="Service level agreements, which Prefect Cloud knows only.")
@click.pass_context
def deploy(ctx: click.Context, **options: Any) -> None:
    """Create and update deployments.

    What is deployed stands in prefect.yaml; options are laid over its entry, or describe a deployment without one.
    """
    if ctx.invoked_subcommand is not None:
        return
    if ctx.get_parameter_source("enforce_parameter_schema") is not ParameterSource.COMMANDLINE:
        options["enforce_parameter_schema"] = None
    # Imported here because `prefect init` needs none of it.
    from prefect.cli._deploying import deploy_project  # noqa: PLC0415

    deploy_project(**options)


def _begin(name: str | None, recipe: str | None, field: tuple[str, ...]) -> None:
    # Imported here because `prefect deploy` needs none of it.
    from prefect.cli._project_start import start_project  # noqa: PLC0415

    start_project(name, recipe, field)


def _with_init_options(function: Any) -> Any:
    for option in reversed(_INIT_OPTIONS):
        function = option(function)
    return function


@command("init")
@_with_init_options
def init(**options: Any) -> None:
    """Start a project: write a prefect.yaml and a .prefectignore."""
    _begin(**options)


deploy.add_command(init, "init")
