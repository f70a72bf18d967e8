"""All settings in one tree."""

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr, SecretStr
from typing_extensions import Self

from prefect.settings import _derive, _snapshot
from prefect.settings._catalog import SettingKey, path_of
from prefect.settings._types import HomePath, in_home
from prefect.settings.base import PrefectBaseSettings, build_settings_config
from prefect.settings.constants import DEFAULT_PREFECT_HOME
from prefect.settings.models.api import APISettings
from prefect.settings.models.cli import CLISettings
from prefect.settings.models.client import ClientSettings
from prefect.settings.models.cloud import CloudSettings
from prefect.settings.models.deployments import DeploymentsSettings
from prefect.settings.models.events import EventsSettings
from prefect.settings.models.experiments import ExperimentsSettings
from prefect.settings.models.flows import FlowsSettings
from prefect.settings.models.internal import InternalSettings
from prefect.settings.models.logging import LoggingSettings
from prefect.settings.models.plugins import PluginsSettings
from prefect.settings.models.results import ResultsSettings
from prefect.settings.models.runner import RunnerSettings
from prefect.settings.models.server.database import warn_on_database_password_value_without_usage
from prefect.settings.models.server.root import ServerSettings
from prefect.settings.models.tasks import TasksSettings
from prefect.settings.models.telemetry import TelemetrySettings
from prefect.settings.models.testing import TestingSettings
from prefect.settings.models.worker import WorkerSettings


class Settings(PrefectBaseSettings):
    """All settings of Prefect, as the sources give them when the object is made.

    The settings that apply somewhere in a program are `prefect.settings.get_current_settings()`.
    """

    model_config = build_settings_config()

    home: Path = Field(
        default=DEFAULT_PREFECT_HOME, description="Folder of profiles, the embedded database and stored results."
    )
    profiles_path: HomePath = Field(
        default_factory=in_home("profiles.toml"), description="File that holds the profiles."
    )
    debug_mode: bool = Field(default=False, description="Log and show everything that may help to find an error.")
    ui_url: str | None = Field(
        default=None, description="URL of the web interface, for links. Follows `api.url` if not set."
    )
    silence_api_url_misconfiguration: bool = Field(
        default=False, description="Do not warn about an API URL that looks wrong."
    )
    api: APISettings = Field(default_factory=APISettings, description="How to reach the Prefect API.")
    cli: CLISettings = Field(default_factory=CLISettings, description="How the command line talks to people.")
    client: ClientSettings = Field(default_factory=ClientSettings, description="How requests to the API are made.")
    cloud: CloudSettings = Field(default_factory=CloudSettings, description="Where Prefect Cloud is.")
    deployments: DeploymentsSettings = Field(
        default_factory=DeploymentsSettings, description="Defaults of deployments."
    )
    events: EventsSettings = Field(default_factory=EventsSettings, description="How a process sends events.")
    experiments: ExperimentsSettings = Field(default_factory=ExperimentsSettings, description="Experimental features.")
    flows: FlowsSettings = Field(default_factory=FlowsSettings, description="Defaults of flows.")
    internal: InternalSettings = Field(default_factory=InternalSettings, description="Prefect's own machinery.")
    logging: LoggingSettings = Field(default_factory=LoggingSettings, description="How Prefect logs.")
    plugins: PluginsSettings = Field(default_factory=PluginsSettings, description="How plugins are loaded.")
    results: ResultsSettings = Field(default_factory=ResultsSettings, description="How results are kept.")
    runner: RunnerSettings = Field(default_factory=RunnerSettings, description="How runners behave.")
    server: ServerSettings = Field(default_factory=ServerSettings, description="Settings of the server.")
    tasks: TasksSettings = Field(default_factory=TasksSettings, description="Defaults of tasks.")
    telemetry: TelemetrySettings = Field(
        default_factory=TelemetrySettings, description="What a process reports about itself."
    )
    testing: TestingSettings = Field(default_factory=TestingSettings, description="Switches for tests.")
    worker: WorkerSettings = Field(default_factory=WorkerSettings, description="How workers behave.")

    _given: dict[str, Any] = PrivateAttr(default_factory=dict)
    """Explicit values, by path, that another setting replaced."""

    @property
    def connected_to_cloud(self) -> bool:
        """Whether the API is Prefect Cloud's."""
        return bool(self.api.url) and str(self.api.url).startswith(self.cloud.api_url)

    def copy_with_update(
        self,
        updates: Mapping[SettingKey, Any] | None = None,
        set_defaults: Mapping[SettingKey, Any] | None = None,
        restore_defaults: Iterable[SettingKey] | None = None,
    ) -> Self:
        """A validated copy with some settings changed. Only explicit values are copied; no source is read again.

        Args:
            updates: New values.
            set_defaults: Values for settings that are not set explicitly.
            restore_defaults: Settings to forget, whatever source set them.

        Keys are names of variables, setting objects, or paths such as `"api.url"`.

        Raises:
            ValueError: A key is no setting.
            pydantic.ValidationError: A value does not fit.
        """
        explicit = self.explicit_values()
        values = {path_of(key): value for key, value in (set_defaults or {}).items()} | explicit
        for key in restore_defaults or ():
            values.pop(path_of(key), None)
        values |= {path_of(key): value for key, value in (updates or {}).items()}
        with _snapshot.reading(_snapshot.Snapshot()):
            return type(self)(**tree_of(values))

    def explicit_values(self) -> dict[str, Any]:
        """The values that some source or caller gave, by path, before other settings replaced them."""
        return _explicit(self, "") | self._given

    def hash_key(self) -> str:
        """A text that is equal for equal settings, within one process."""
        return str(hash(tuple(sorted(self.to_environment_variables(exclude_unset=True).items()))))

    def _collect(self, values: dict[str, Any]) -> dict[str, Any]:
        explicit = super()._collect(values)
        snapshot = _snapshot.current.get()
        if snapshot is not None and "home" in explicit:
            # Groups that are built next have defaults inside the home folder.
            snapshot.home = Path(explicit["home"]).expanduser()
        return explicit

    def _complete(self) -> None:
        self._put("home", self.home.expanduser())
        if self.ui_url is None:
            self._put("ui_url", _derive.interface_url(self.api.url, self.cloud.api_url, self.cloud.ui_url))
        if self.server.ui.api_url is None:
            address = f"http://{self.server.api.host}:{self.server.api.port}/api"
            self.server.ui._put("api_url", self.api.url or address)
        if self.debug_mode or self.testing.test_mode:
            self._replace("logging.level", "DEBUG")
            self._replace("internal.logging_level", "DEBUG")
        if self.connected_to_cloud:
            limit = min(self.logging.to_api.max_log_size, self.cloud.max_log_size)
            self._replace("logging.to_api.max_log_size", limit)
        warn_on_database_password_value_without_usage(self.server.database)
        url = _derive.database_url(self.server.database, self.home)
        self._replace("server.database.connection_url", SecretStr(url))
        problem = _derive.misconfiguration_of_api_url(self.api.url)
        if problem and not self.silence_api_url_misconfiguration:
            warnings.warn(problem, UserWarning, stacklevel=2)

    def _replace(self, path: str, value: Any) -> None:
        """Let a derived value apply, and remember the explicit one for copies."""
        *groups, name = path.split(".")
        group: Any = self
        for group_name in groups:
            group = getattr(group, group_name)
        if name in group.model_fields_set:
            self._given[path] = getattr(group, name)
        group._put(name, value)


def canonical_environment_prefix(settings: PrefectBaseSettings) -> str:
    """The prefix of the environment variables of a group of settings."""
    return str(settings.model_config.get("env_prefix", ""))


def _explicit(group: PrefectBaseSettings, prefix: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in type(group).model_fields:
        value = group.__dict__[name]
        if isinstance(value, PrefectBaseSettings):
            values |= _explicit(value, f"{prefix}{name}.")
        elif name in group.model_fields_set:
            values[prefix + name] = value
    return values


def tree_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by path as arguments of `Settings`."""
    tree: dict[str, Any] = {}
    for path, value in values.items():
        *groups, name = path.split(".")
        table = tree
        for group in groups:
            table = table.setdefault(group, {})
        table[name] = value
    return tree
