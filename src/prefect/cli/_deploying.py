"""`prefect deploy`: chooses entries of a project file, and deploys them one after the other."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect.cli import _deploy_questions as ask
from prefect.cli import _output, _session
from prefect.cli._api import connect
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import WorkerFilter
from prefect.client.schemas.objects import WorkPool
from prefect.deployments._messages import say_what_is_next
from prefect.deployments._project.entries import DeploymentEntry, ProjectError
from prefect.deployments._project.making import fill_entry, load_flow, make_deployment
from prefect.deployments._project.overriding import Overrides, override, parse_parameters
from prefect.deployments._project.reading import InvalidProjectError, ProjectFile, parse_project, read_text
from prefect.deployments._project.selecting import select
from prefect.deployments._project.triggering import read_triggers
from prefect.deployments.runner import DeploymentApplyError, RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.utilities.asyncutils import run_coro_as_sync

_NO_ENTRYPOINT = (
    "An entrypoint must be provided:\n\n        prefect deploy path/to/file.py:flow_function\n\n"
    "You can also provide an entrypoint in a prefect.yaml file."
)


def deploy_project(
    entrypoint: str | None,
    name: Sequence[str],
    all: bool,
    prefect_file: Path,
    sla: Sequence[str],
    **options: Any,
) -> None:
    """Deploy what the options of the command say."""
    if all and name:
        _output.fail("Cannot use both `--all` and `--name` at the same time. Use only one.")
    if sla:
        _output.fail("Service level agreements are known to Prefect Cloud only. Leave out --sla.")
    try:
        said = _overrides(entrypoint, **options)
        _Deploying(_read(prefect_file), said, list(name), all).run()
    except (ProjectError, DeploymentApplyError) as error:
        _output.fail(str(error))


def _overrides(entrypoint: str | None, **options: Any) -> Overrides:
    params = options["params"]
    parameters, as_json = parse_parameters(options["param"], sys.stdin.read() if params == "-" else params)
    for each in as_json:
        _output.note(f"The value of the parameter {each!r} is read as JSON.")
    return Overrides(
        entrypoint=entrypoint,
        description=options["description"],
        version=options["version"],
        version_type=options["version_type"],
        tags=options["tag"],
        concurrency_limit=options["concurrency_limit"],
        collision_strategy=options["collision_strategy"],
        work_pool_name=options["pool"],
        work_queue_name=options["work_queue"],
        job_variables=options["job_variable"],
        cron=options["cron"],
        interval=options["interval"],
        rrule=options["rrule"],
        anchor_date=options["anchor_date"],
        timezone=options["timezone"],
        triggers=options["trigger"],
        parameters=parameters,
        enforce_parameter_schema=options["enforce_parameter_schema"],
    )


def _read(path: Path) -> ProjectFile:
    """The project file; without one, and without a valid one, the options alone say what is deployed."""
    try:
        text = read_text(path)
        if text is None:
            _output.note(f"There is no file {str(path)!r}. Skipping.")
            return ProjectFile(path)
        return ProjectFile(path, text, parse_project(path, text))
    except InvalidProjectError as error:
        _output.note(f"{error}\nSkipping what is in the file.")
        return ProjectFile(path, "", is_valid=False)


class _Deploying:
    """One call of the command.

    Args:
        file: The project file.
        said: The options for one deployment.
        names: The names that were given.
        all_: Whether every entry is deployed.
    """

    def __init__(self, file: ProjectFile, said: Overrides, names: list[str], all_: bool) -> None:
        self._file = file
        self._said = said
        self._names = names
        self._all = all_
        self._client: SyncPrefectClient

    def run(self) -> None:
        """Deploy. Ends the command where something cannot be done."""
        chosen = self._choose()
        with connect() as self._client:
            if len(chosen) > 1:
                self._deploy_several(chosen)
            else:
                self._deploy(chosen[0], self._said)

    # -- choosing ----------------------------------------------------------------------------------------------------

    def _choose(self) -> list[DeploymentEntry]:
        """The entries that are deployed; one that is empty stands for what the options say alone."""
        entries = self._file.project.deployments
        if not entries:
            return [self._new()]
        if self._all:
            return list(entries)
        if self._names:
            return self._named(entries)
        if len(entries) == 1 and not _session.is_interactive():
            return [entries[0]]
        if not _session.is_interactive():
            known = ", ".join(repr(each.name) for each in entries if each.name)
            _output.fail(
                f"Discovered several deployment configurations in {str(self._file.path)!r}, but no name was given. Say which with"
                f" --name, or --all. There are: {known}."
            )
        if self._said.entrypoint is not None or all(each.name is None for each in entries):
            # A flow that was named is deployed anew, unless its entry is named too.
            return [DeploymentEntry()]
        return [ask.entry(entries)]

    def _new(self) -> DeploymentEntry:
        """An entry for what the options alone say."""
        if self._all:
            _output.fail(f"There are no deployments in {str(self._file.path)!r}.")
        if len(self._names) > 1:
            _output.fail(f"{str(self._file.path)!r} has no deployments of these names, and one new one has one --name.")
        return DeploymentEntry.model_validate({"name": _last_part(self._names[0])} if self._names else {})

    def _named(self, entries: list[DeploymentEntry]) -> list[DeploymentEntry]:
        found = select(entries, self._names)
        if not found.entries and len(self._names) == 1 and "*" not in self._names[0]:
            name = _last_part(self._names[0])
            if len(entries) == 1 and not _session.is_interactive():
                _output.note(
                    f"No deployment {name!r} is in {str(self._file.path)!r}: its only entry is deployed by this name."
                )
                return [entries[0].model_copy(update={"name": name})]
        if found.missing:
            _output.note(
                "The following deployment(s) could not be found and will not be deployed: " + ", ".join(found.missing)
            )
        chosen = list(found.entries)
        for name, several in found.ambiguous.items():
            if _session.is_interactive():
                kept = ask.one_of(name, several)
                chosen = [each for each in chosen if each is kept or not any(each is other for other in several)]
        if chosen:
            return chosen
        if self._said.entrypoint is None and not _session.is_interactive():
            known = ", ".join(repr(each.name) for each in entries if each.name)
            _output.fail(
                f"Nothing is deployed: {str(self._file.path)!r} has no such deployment, and no entrypoint was given for a new one."
                f" There are: {known}."
            )
        _output.note("Your flow will be deployed with a new deployment configuration.")
        return [self._new()]

    # -- deploying ---------------------------------------------------------------------------------------------------

    def _deploy_several(self, chosen: list[DeploymentEntry]) -> None:
        if self._said.are_given:
            _output.note(
                "You have passed options to the deploy command, but you are creating or updating multiple deployments. These"
                " options will be ignored."
            )
        done: list[str] = []
        for entry in chosen:
            if not entry.name and not _session.is_interactive():
                _output.note("Discovered unnamed deployment. Skipping...")
                continue
            _output.echo(f"\nDeploying {entry.label}\n", bold=True)
            try:
                self._deploy(entry, Overrides())
            except (ProjectError, DeploymentApplyError) as error:
                rest = [repr(each.name) for each in chosen if each.name and each.name not in (*done, entry.name)]
                what = (
                    f"{error}\n\nDeployed before: {', '.join(map(repr, done)) or 'none'}. Not deployed: {entry.name!r}"
                )
                _output.fail(", ".join([what, *rest]) + ".")
            done.append(entry.name or "")

    def _deploy(self, entry: DeploymentEntry, said: Overrides) -> None:
        entry = override(entry, said)
        if said.triggers:
            entry = entry.model_copy(update={"triggers": read_triggers(said.triggers)})
        if entry.sla:
            _output.fail(f"The deployment {entry.label} has 'sla', which Prefect Cloud knows only. Take it out.")
        entry = self._complete(entry)
        filled = run_coro_as_sync(fill_entry(entry))
        flow = load_flow(filled.entrypoint or "")
        pool = self._pool(filled)
        made = run_coro_as_sync(make_deployment(self._file.project, filled, flow, _tell))
        self._apply(made, pool)
        if _session.is_interactive() and self._is_new(entry):
            self._file = ask.save(self._file, entry)

    def _complete(self, entry: DeploymentEntry) -> DeploymentEntry:
        """The entry with all that a deployment needs, which is asked where somebody can be asked."""
        if _session.is_interactive():
            return ask.complete(entry, self._client, self._file.project, is_new=self._is_new(entry))
        if not entry.entrypoint:
            _output.fail(_NO_ENTRYPOINT)
        if not entry.name:
            _output.fail("A deployment name must be provided.")
        if not entry.pool.name:
            _output.fail(
                "A work pool is required to deploy this flow. Please specify a work pool name via the '--pool' flag or in your"
                " prefect.yaml file."
            )
        return entry

    def _pool(self, entry: DeploymentEntry) -> WorkPool:
        name = entry.pool.name or ""
        try:
            pool = self._client.read_work_pool(name)
        except ObjectNotFound:
            _output.fail(
                f"This deployment configuration references work pool {name!r} which does not exist. This means no worker will be"
                f" able to pick up its runs. Create it: prefect work-pool create {name!r} --type …"
            )
        if pool.type == "prefect-agent":
            _output.fail(f"The work pool {name!r} is one of agents, which are no more. Choose another one.")
        return pool

    def _apply(self, made: RunnerDeployment, pool: WorkPool) -> None:
        try:
            self._client.read_deployment_by_name(made.full_name)
            how = "updated"
        except ObjectNotFound:
            how = "created"
        try:
            id = made.apply(_sync=True)  # type: ignore[call-arg]
        except ValueError as error:
            raise ProjectError(f"The deployment {made.full_name!r} cannot be stored: {error}") from error
        _output.success(f"Deployment {made.full_name!r} successfully {how} with id '{id}'.")
        waits = not (pool.is_push_pool or pool.is_managed_pool) and not self._has_worker(pool)
        say_what_is_next([made], [id], pool.name if waits else None)

    def _has_worker(self, pool: WorkPool) -> bool:
        online = WorkerFilter.model_validate({"status": {"any_": ["ONLINE"]}})
        return bool(self._client.read_workers_for_work_pool(pool.name, worker_filter=online, limit=1))

    def _is_new(self, entry: DeploymentEntry) -> bool:
        known = self._file.project.deployments
        return not any((each.name, each.entrypoint) == (entry.name, entry.entrypoint) for each in known)


def _last_part(name: str) -> str:
    """The name of a deployment that is given with its flow's, or without."""
    return name.rpartition("/")[2]


def _tell(*words: Any, style: str | None = None, **_: Any) -> None:
    _output.echo(" ".join(map(str, words)), style)
