"""What `prefect deploy` asks where somebody can answer: what to deploy, how, and whether to remember it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from prefect.cli import _output
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import WorkPool
from prefect.deployments._project.entries import DeploymentEntry, Project, ProjectError, ScheduleEntry
from prefect.deployments._project.finding import find_flows
from prefect.deployments._project.reading import ProjectFile, parse_project, read_text
from prefect.deployments._project.recipes import RECIPES, known_inputs
from prefect.deployments._project.saving import as_written, render, save_entry
from prefect.deployments._project.scheduling import schedules_of
from prefect.deployments.base import create_default_prefect_yaml
from prefect.exceptions import ObjectNotFound
from prefect.utilities.filesystem import create_default_ignore_file
from prefect.utilities.slugify import slugify
from prefect.utilities.templating import apply_values, find_placeholders

_NEW = "configure a new deployment"
_ELSEWHERE = {"git": "git", "s3": "S3", "gcs": "Google Cloud Storage", "azure": "Azure Blob Storage"}


def _choose(title: str, question: str, options: Sequence[str], default: int = 1) -> int:
    """Ask for one of several things; its number, from 0."""
    _output.print_table(title, ["#", "Choice"], [(str(number), each) for number, each in enumerate(options, start=1)])
    return click.prompt(question, type=click.IntRange(1, len(options)), default=default) - 1


# -- what is deployed --------------------------------------------------------------------------------------------------


def entry(entries: Sequence[DeploymentEntry]) -> DeploymentEntry:
    """Ask which entry of a file is deployed. An empty one stands for a new deployment."""
    titles = [
        f"{each.name or '(no name)'}  {each.entrypoint or ''}  {each.description or ''}".rstrip() for each in entries
    ]
    place = _choose("Deployments", "Which one is deployed", [*titles, _NEW])
    return entries[place] if place < len(entries) else DeploymentEntry()


def one_of(name: str, entries: Sequence[DeploymentEntry]) -> DeploymentEntry:
    """Ask which of several entries of one name is meant."""
    titles = [f"{each.name}  {each.entrypoint}" for each in entries]
    return entries[_choose(f"Deployments named {name!r}", "Which one is deployed", titles)]


def complete(given: DeploymentEntry, client: SyncPrefectClient, project: Project, *, is_new: bool) -> DeploymentEntry:
    """Ask for all that an entry lacks to be deployed; if it is not one of the file, also for what it may have besides."""
    said: dict[str, Any] = {}
    if not given.entrypoint:
        said["entrypoint"] = _ask_entrypoint()
    if not given.name:
        said["name"] = click.prompt("Deployment name", default="default")
    pool = _ask_pool(client, given.pool.name)
    where = given.pool.model_dump(exclude_unset=True)
    said["work_pool"] = {**where, "name": given.pool.name or pool.name}
    if not is_new:
        return _with(given, said)
    said |= _ask_image(given, project, pool, said["work_pool"])
    made = _with(given, said)
    if project.pull_steps(made) is None and not project.build_steps(made):
        made = _with(made, _ask_code())
    if "schedules" not in made.model_fields_set:
        made = _with(made, {"schedules": _ask_schedules()})
    return made


def _with(given: DeploymentEntry, said: dict[str, Any]) -> DeploymentEntry:
    return DeploymentEntry.model_validate({**given.said(), **said})


def _ask_entrypoint() -> str:
    found = find_flows(Path.cwd())
    if found:
        place = _choose("Flows", "Which flow is deployed", [*found, "another one"])
        if place < len(found):
            return found[place]
    return click.prompt("Flow entrypoint (expected format path/to/file.py:function_name)")


# -- where it runs -----------------------------------------------------------------------------------------------------


def _ask_pool(client: SyncPrefectClient, name: str | None) -> WorkPool:
    """The work pool of a name; asked for if there is none of that name."""
    if name and not find_placeholders(name):
        try:
            return client.read_work_pool(name)
        except ObjectNotFound:
            _output.note(f"There is no work pool {name!r}.")
            if _output.confirm("Create it?", default=True):
                return _create_pool(client, name)
    pools = [each for each in client.read_work_pools() if each.type != "prefect-agent"]
    if name and find_placeholders(name):
        # Which one it is shows later; nothing is asked that depends on it.
        return WorkPool.model_construct(name=name, type="", base_job_template={})
    if not pools:
        _output.note("There are no work pools yet, and deployments need one.")
        return _create_pool(client, click.prompt("Name of a new work pool", default="default"))
    titles = [f"{each.name}  {each.type}  {each.description or ''}".rstrip() for each in pools]
    place = _choose("Work Pools", "Which work pool does it run in", [*titles, "a new one"])
    return pools[place] if place < len(pools) else _create_pool(client, click.prompt("Name of the new work pool"))


def _create_pool(client: SyncPrefectClient, name: str) -> WorkPool:
    # Imported here because few deployments need a new pool.
    from prefect.cli._worker_types import known_types  # noqa: PLC0415

    types = known_types(client)
    chosen = click.prompt("Type of its workers", type=click.Choice(list(types)), default="process")
    template = types[chosen]["default_base_job_configuration"]
    return client.create_work_pool(WorkPoolCreate(name=name, type=chosen, base_job_template=template))


def _ask_image(given: DeploymentEntry, project: Project, pool: WorkPool, where: dict[str, Any]) -> dict[str, Any]:
    """What an image that is built adds to an entry; asked only where nothing is said of images yet."""
    variables = (pool.base_job_template.get("variables") or {}).get("properties") or {}
    known = where.get("job_variables") or {}
    if "image" not in variables or "image" in known or "build" in given.model_fields_set or project.build:
        return {}
    if not _output.confirm("Would you like to build a custom Docker image for this deployment?"):
        return {"build": None}
    recipe = RECIPES["docker"]
    inputs = {key: click.prompt(what) for key, what in recipe.inputs.items()}
    inputs["dockerfile"] = click.prompt("Dockerfile, or auto to have one made", default=_known()["dockerfile"])
    pushed = _output.confirm("Would you like to push this image to a remote registry?")
    said: Any = apply_values(
        {"build": recipe.build, "push": recipe.push if pushed else []}, inputs, remove_notset=False
    )
    image = {"image": "{{ build_image.image }}"}
    return {**said, "work_pool": {**where, "job_variables": {**known, **image}}}


def _known() -> dict[str, str]:
    return known_inputs(Path.cwd())


# -- where its code is -------------------------------------------------------------------------------------------------


def _ask_code() -> dict[str, Any]:
    """The steps that pull the code of an entry, if it is not where workers find it anyway."""
    known = _known()
    if not _output.confirm(
        "Would you like your workers to pull your flow code from a remote storage location when running this flow?",
        default="repository" in known,
    ):
        return {}
    kinds = list(_ELSEWHERE)
    kind = kinds[_choose("Places", "Where is the code", list(_ELSEWHERE.values()))]
    return {"pull": [_clone_step(known) if kind == "git" else _storage_step(kind)]}


def _clone_step(known: dict[str, str]) -> dict[str, Any]:
    inputs: dict[str, Any] = {
        "repository": click.prompt("URL of the repository", default=known.get("repository")),
        "branch": click.prompt("Branch", default=known.get("branch", "main")),
    }
    if _output.confirm("Is it a private repository?"):
        name = slugify(
            f"deployment-{inputs['repository'].rstrip('/').rpartition('/')[2].removesuffix('.git')}-repo-token"
        )
        token = click.prompt("A token that may read it; it is stored as a secret block", hide_input=True)
        # Imported here because blocks take longer to load than all else that a deployment needs.
        from prefect.blocks.system import Secret  # noqa: PLC0415

        Secret(value=token).save(name, overwrite=True, _sync=True)  # type: ignore[call-arg]
        inputs["access_token"] = f"{{{{ prefect.blocks.secret.{name} }}}}"
    return {"prefect.deployments.steps.git_clone": inputs}


def _storage_step(kind: str) -> dict[str, Any]:
    [(name, inputs)] = RECIPES[kind].pull[0].items()
    [(holder, what)] = RECIPES[kind].inputs.items()
    made = {"requires": inputs["requires"], holder: click.prompt(what), "folder": click.prompt("Folder in it")}
    credentials = click.prompt("Credentials, as block-type/block-name (empty for none)", default="", show_default=False)
    if credentials:
        made["credentials"] = f"{{{{ prefect.blocks.{credentials.replace('/', '.')} }}}}"
    return {name: made}


# -- when it runs ------------------------------------------------------------------------------------------------------

_SCHEDULES: dict[str, tuple[str, str]] = {
    "interval": ("Seconds between scheduled runs", "3600"),
    "cron": ("Cron string", "0 0 * * *"),
    "rrule": ("RRule string", "RRULE:FREQ=DAILY"),
}


def _ask_schedules() -> list[dict[str, Any]]:
    schedules: list[dict[str, Any]] = []
    question = "Would you like to configure schedules for this deployment?"
    while _output.confirm(question, default=not schedules):
        made = _until_valid(_ask_schedule)
        schedules.append(made)
        question = "Would you like to add another schedule?"
    return schedules


def _ask_schedule() -> dict[str, Any]:
    kind = click.prompt("What type of schedule", type=click.Choice(list(_SCHEDULES)), default="interval")
    question, default = _SCHEDULES[kind]
    value = click.prompt(question, default=default)
    made: dict[str, Any] = {kind: int(value) if kind == "interval" and value.isdecimal() else value}
    if kind != "interval":
        made["timezone"] = click.prompt("Timezone", default="UTC")
    if not _output.confirm("Would you like to activate this schedule?", default=True):
        made["active"] = False
    # What cannot be stored is asked again, now.
    schedules_of(DeploymentEntry(schedules=[ScheduleEntry.model_validate(made)]))
    return made


def _until_valid(ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    while True:
        try:
            return ask()
        except ValueError as error:
            _output.error(str(error))


# -- remembering it ----------------------------------------------------------------------------------------------------


def save(file: ProjectFile, made: DeploymentEntry) -> ProjectFile:
    """Offer to write what was deployed into the project file; gives the file as it is then."""
    question = "Would you like to save configuration for this deployment for faster deployments in the future?"
    if not _output.confirm(question):
        return file
    written = as_written(made)
    try:
        if file.text is None:
            file = _create(file, made)
        file = save_entry(file, written)
    except ProjectError as error:
        _output.error(str(error))
        _output.echo(f"Add it below 'deployments' by hand:\n\n{render(written)}")
        return file
    _output.success(
        f"\nDeployment configuration saved to {file.path}! You can now deploy using this deployment configuration with:\n\n"
        f"        $ prefect deploy -n {made.name}\n\n"
        "You can also make changes to this deployment configuration by making changes to the YAML file."
    )
    return file


def _create(file: ProjectFile, made: DeploymentEntry) -> ProjectFile:
    folder = file.path.parent
    if file.path.name != "prefect.yaml":
        raise ProjectError(f"There is no file {str(file.path)!r} to save the deployment in. Make it, and deploy again.")
    if not create_default_prefect_yaml(str(folder), contents={"deployments": []}):
        raise ProjectError(f"{str(file.path)!r} was made by somebody else meanwhile, so nothing was written to it.")
    create_default_ignore_file(str(folder))
    text = read_text(file.path) or ""
    return ProjectFile(file.path, text, parse_project(file.path, text))
