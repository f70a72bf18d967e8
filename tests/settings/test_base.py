"""Settings classes of other packages, and what all settings objects can do."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, SecretStr, ValidationError, field_validator

from prefect.settings import Settings, temporary_settings
from prefect.settings.base import PrefectBaseSettings, build_settings_config
from prefect.settings.context import use_profile
from prefect.settings.models.api import APISettings
from prefect.settings.models.logging import LoggingSettings


class WorkerSettings(PrefectBaseSettings):
    model_config = build_settings_config(("integrations", "cloudy", "worker"))

    image: str | None = Field(default=None)
    retries: int = Field(default=3, ge=0)
    labels: dict[str, str] = Field(default_factory=dict)
    token: SecretStr | None = None


class CloudySettings(PrefectBaseSettings):
    model_config = build_settings_config(("integrations", "cloudy"))

    region: str = Field(default="nowhere")
    worker: WorkerSettings = Field(default_factory=WorkerSettings)

    @field_validator("region")
    @classmethod
    def _lower(cls, value: str) -> str:
        return value.lower()


def test_a_place_makes_prefix_and_tables():
    config = build_settings_config(("integrations", "cloudy"), frozen=True)
    assert config["env_prefix"] == "PREFECT_INTEGRATIONS_CLOUDY_"
    assert config["prefect_toml_table_header"] == ("integrations", "cloudy")
    assert config["pyproject_toml_table_header"] == ("tool", "prefect", "integrations", "cloudy")
    assert config["frozen"] is True
    assert build_settings_config()["env_prefix"] == "PREFECT_"


def test_a_class_of_another_package_reads_all_sources(write_profiles, monkeypatch: pytest.MonkeyPatch):
    assert CloudySettings().region == "nowhere"
    write_profiles(
        'active = "mine"\n[profiles.mine]\nPREFECT_INTEGRATIONS_CLOUDY_REGION = "PROFILE"\n'
        'PREFECT_INTEGRATIONS_CLOUDY_WORKER_IMAGE = "profile"\n'
    )
    assert (CloudySettings().region, CloudySettings().worker.image) == ("profile", "profile")
    Path("pyproject.toml").write_text('[tool.prefect.integrations.cloudy.worker]\nimage = "pyproject"\n')
    assert CloudySettings().worker.image == "pyproject"
    Path("prefect.toml").write_text('[integrations.cloudy.worker]\nimage = "toml"\nlabels = { a = "b" }\n')
    assert (CloudySettings().worker.image, CloudySettings().worker.labels) == ("toml", {"a": "b"})
    Path(".env").write_text("PREFECT_INTEGRATIONS_CLOUDY_WORKER_IMAGE=dotenv\n")
    assert CloudySettings().worker.image == "dotenv"
    monkeypatch.setenv("PREFECT_INTEGRATIONS_CLOUDY_WORKER_IMAGE", "environment")
    monkeypatch.setenv("PREFECT_INTEGRATIONS_CLOUDY_WORKER_LABELS", '{"c": "d"}')
    assert (CloudySettings().worker.image, CloudySettings().worker.labels) == ("environment", {"c": "d"})
    assert CloudySettings(worker={"image": "argument"}).worker.image == "argument"


def test_the_profile_in_use_counts_for_other_packages_too(write_profiles):
    write_profiles(
        '[profiles.mine]\nPREFECT_API_URL = "x"\n[profiles.other]\nPREFECT_INTEGRATIONS_CLOUDY_REGION = "a"\n'
    )
    with use_profile("other"):
        assert CloudySettings().region == "a"
    with use_profile("mine"):
        assert CloudySettings().region == "nowhere"


def test_validators_of_a_class_run_and_its_constraints_hold(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_INTEGRATIONS_CLOUDY_REGION", "NORTH")
    assert CloudySettings().region == "north"
    monkeypatch.setenv("PREFECT_INTEGRATIONS_CLOUDY_WORKER_RETRIES", "-1")
    with pytest.raises(ValidationError, match="retries"):
        WorkerSettings()


def test_a_frozen_class_is_read_only():
    class Frozen(PrefectBaseSettings):
        model_config = build_settings_config(("integrations", "frozen"), frozen=True)
        value: int = 1

    with pytest.raises(ValidationError):
        Frozen().value = 2


def test_a_class_may_choose_its_sources(monkeypatch: pytest.MonkeyPatch):
    class Picky(PrefectBaseSettings):
        model_config = build_settings_config(("integrations", "picky"))
        value: str = "default"

        @classmethod
        def settings_customise_sources(
            cls, settings_cls, init_settings, env_settings, dotenv_settings, file_secret_settings
        ) -> tuple[Callable[[], dict[str, Any]], ...]:
            return (lambda: {"value": "own source"}, env_settings)

    monkeypatch.setenv("PREFECT_INTEGRATIONS_PICKY_VALUE", "environment")
    assert Picky(value="argument").value == "own source"


def test_a_group_can_be_read_on_its_own(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://x/api")
    assert APISettings().url == "http://x/api"
    assert LoggingSettings().config_path == home / "logging.yml"
    with pytest.raises(ValidationError, match=r"request_timeout"):
        APISettings(request_timeout="soon")


def test_variables_hold_exactly_what_was_set(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_DEFAULT_WORK_POOL_NAME", "pool")
    monkeypatch.setenv("PREFECT_CLIENT_RETRY_EXTRA_CODES", "503,429")
    monkeypatch.setenv("PREFECT_DEBUG_MODE", "1")
    settings = Settings().copy_with_update(
        updates={
            "api.key": "hush",
            "server.services.late_runs.after_seconds": 90,
            "client.custom_headers": {"a": "b"},
            "flows.default_retry_delay_seconds": [1, 2.5],
        }
    )
    expected = {
        "PREFECT_HOME": str(home),
        "PREFECT_DEBUG_MODE": "True",
        "PREFECT_API_KEY": "hush",
        "PREFECT_CLIENT_CUSTOM_HEADERS": '{"a":"b"}',
        "PREFECT_CLIENT_RETRY_EXTRA_CODES": "429,503",
        "PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME": "pool",
        "PREFECT_FLOWS_DEFAULT_RETRY_DELAY_SECONDS": "1.0,2.5",
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "True",
        "PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS": "PT1M30S",
    }
    assert settings.to_environment_variables(exclude_unset=True) == expected
    masked = settings.to_environment_variables(exclude_unset=True, include_secrets=False)
    assert masked == expected | {"PREFECT_API_KEY": "**********"}
    both = settings.to_environment_variables(exclude_unset=True, include_aliases=True)
    assert both["PREFECT_DEFAULT_WORK_POOL_NAME"] == both["PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME"] == "pool"


def test_variables_reproduce_the_settings(monkeypatch: pytest.MonkeyPatch):
    settings = Settings().copy_with_update(
        updates={
            "logging.extra_loggers": ["a", "b"],
            "plugins.allow": {"c", "d"},
            "tasks.default_retry_delay_seconds": [1, 2],
            "server.services.db_vacuum.enabled": True,
            "server.services.db_vacuum.event_retention_overrides": {"x": 60},
            "server.database.connection_url": "postgresql://u:p@h/n",
        }
    )
    for name, value in settings.to_environment_variables(exclude_unset=True).items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings
    for name, value in settings.to_environment_variables().items():
        monkeypatch.setenv(name, value)
    assert Settings().model_dump() == settings.model_dump()


def test_a_dump_masks_secrets_unless_asked_for_them():
    settings = Settings().copy_with_update(updates={"api.key": "hush", "server.api.auth_string": "a:b"})
    masked = settings.model_dump(mode="json", exclude_unset=True)
    assert masked["api"] == {"key": "**********"}
    clear = settings.model_dump(mode="json", exclude_unset=True, context={"include_secrets": True})
    assert clear["api"] == {"key": "hush"}
    assert clear["server"]["api"] == {"auth_string": "a:b"}
    assert json.dumps(clear)
    restored = Settings(**clear)
    assert restored == settings


def test_settings_survive_pickling_and_copying():
    settings = Settings().copy_with_update(updates={"api.key": "hush", "debug_mode": True, "logging.level": "ERROR"})
    for copy in (pickle.loads(pickle.dumps(settings)), settings.model_copy(deep=True)):
        assert copy == settings
        assert copy.copy_with_update(updates={"debug_mode": False}).logging.level == "ERROR"


def test_equal_settings_have_equal_hash_keys():
    settings = Settings()
    assert settings.hash_key() == Settings().hash_key()
    assert settings.hash_key() != settings.copy_with_update(updates={"api.key": "other"}).hash_key()


def test_the_json_schema_covers_the_tree():
    schema = Settings.model_json_schema()
    assert "server" in schema["properties"]
    assert "ServerAPISettings" in schema["$defs"]


def test_a_setting_may_be_assigned():
    settings = Settings()
    settings.api.url = "http://assigned/api"
    assert settings.to_environment_variables(exclude_unset=True)["PREFECT_API_URL"] == "http://assigned/api"


def test_old_places_of_settings_warn_and_work():
    with temporary_settings({"plugins.enabled": True, "flows.heartbeat_frequency": 60}) as settings:
        with pytest.warns(DeprecationWarning, match=r"settings\.plugins"):
            assert settings.experiments.plugins.enabled
        with pytest.warns(DeprecationWarning, match=r"flows\.heartbeat_frequency"):
            assert settings.runner.heartbeat_frequency == 60
