"""The published surface: every setting, its names, its place, its default."""

import datetime
import json
import pathlib
from operator import attrgetter
from typing import Any

import pytest
from pydantic import SecretStr

import prefect.settings
from prefect.settings import Settings
from prefect.settings._catalog import entries
from prefect.settings._files import read_toml
from prefect.settings.legacy import Setting

CONTRACT = json.loads((pathlib.Path(__file__).parents[1] / "contract" / "settings.json").read_text())
SETTINGS = {setting["path"]: setting for setting in CONTRACT["settings"]}
OURS = {f"server.services.flow_run_leases.{name}" for name in ("enabled", "lease_seconds", "loop_seconds")}
"""Settings of what only this implementation does."""
GROUPS = {group["path"]: group for group in CONTRACT["groups"]}

EXAMPLES = {
    "bool": [("true", True), ("false", False)],
    "int": [("37", 37)],
    "float": [("37.5", 37.5)],
    "datetime.timedelta": [("5000", datetime.timedelta(seconds=5000)), ("P2D", datetime.timedelta(days=2))],
    "pathlib.Path": [("/some/path", pathlib.Path("/some/path"))],
    "pydantic.SecretStr": [("hush", SecretStr("hush"))],
    "str": [("some text", "some text")],
    "Any": [("some text", "some text")],
    "dict[str, str]": [('{"a": "b"}', {"a": "b"})],
    "dict[str, datetime.timedelta]": [('{"a": "PT1H"}', {"a": datetime.timedelta(hours=1)})],
    "set[str]": [("b,a", {"a", "b"}), ('["a"]', {"a"})],
    "set[str] | bool": [("events,flow_runs", {"events", "flow_runs"}), ("true", True)],
    "str | int | set[int]": [("429,503", {429, 503})],
    "str | list[str]": [("b,a", ["b", "a"])],
    "int | float | list[float]": [("37", 37), ("[1,2]", [1.0, 2.0])],
    "str | int | float | list[float]": [("37", 37), ("1,2", [1.0, 2.0])],
}


def example_values(setting: dict[str, Any]) -> list[tuple[str, Any]]:
    kind = setting["type"].removesuffix(" | None")
    if kind.startswith("Literal["):
        return [(word, word) for word in json.loads(kind.removeprefix("Literal").replace("'", '"'))]
    return EXAMPLES[kind]


@pytest.mark.filterwarnings("ignore:PREFECT_SERVER_DATABASE_PASSWORD")
@pytest.mark.parametrize("path", SETTINGS)
def test_every_name_of_a_setting_sets_it(path: str, monkeypatch: pytest.MonkeyPatch):
    setting = SETTINGS[path]
    if path == "server.database.driver":
        for part in ("HOST", "USER", "NAME"):
            monkeypatch.setenv(f"PREFECT_SERVER_DATABASE_{part}", "x")
    if path == "logging.to_api.batch_size":
        monkeypatch.setenv("PREFECT_LOGGING_TO_API_MAX_LOG_SIZE", "1")
    for name in [setting["env"], *setting["aliases"]]:
        for text, value in example_values(setting):
            with monkeypatch.context() as environment:
                environment.setenv(name, text)
                settings = Settings()
            assert attrgetter(path)(settings) == value, name
            group, _, field = path.rpartition(".")
            assert field in (attrgetter(group)(settings) if group else settings).model_fields_set


def test_the_canonical_name_wins_over_older_ones(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_API_DATABASE_CONNECTION_URL", "sqlite:///older.db")
    monkeypatch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", "sqlite:///newer.db")
    url = Settings().server.database.connection_url
    assert url is not None and url.get_secret_value() == "sqlite:///newer.db"


def test_there_are_no_other_settings():
    assert set(entries()) == set(SETTINGS) | OURS


def test_every_setting_has_its_default(home: pathlib.Path):
    settings = Settings()
    for path, setting in SETTINGS.items():
        text = setting.get("effective", setting["default"]).replace("$PREFECT_HOME", str(home))
        expected = eval(text, {"datetime": datetime})
        if path == "home":
            expected = str(home)
        value = attrgetter(path)(settings)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if isinstance(value, pathlib.Path):
            value = str(value)
        assert value == expected, path
        assert type(value) is type(expected) or {type(value), type(expected)} == {int, float}, path


def test_the_home_folder_is_below_the_user_s_own(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PREFECT_HOME")
    assert Settings().home == tmp_path / ".prefect"


@pytest.mark.parametrize("path", [path for path, setting in SETTINGS.items() if setting["secret"]])
def test_secrets_are_shown_to_nobody(path: str):
    settings = Settings().copy_with_update(updates={path: "hush-hush"})
    shown = [
        repr(settings),
        str(settings),
        settings.model_dump_json(),
        repr(settings.model_dump()),
        str(settings.to_environment_variables(include_secrets=False)),
    ]
    assert not any("hush-hush" in text for text in shown)
    assert getattr(prefect.settings, SETTINGS[path]["env"]).is_secret


def test_settings_that_are_not_secret_are_not_masked():
    open_settings = [entry.path for entry in entries().values() if not entry.leaf.is_secret and entry.path not in OURS]
    assert open_settings == [path for path in entries() if path in SETTINGS and not SETTINGS[path]["secret"]]


@pytest.mark.parametrize("path", SETTINGS)
def test_every_name_is_a_setting_object(path: str):
    setting = SETTINGS[path]
    objects = [getattr(prefect.settings, name) for name in [setting["env"], *setting["aliases"]]]
    assert all(isinstance(found, Setting) and found.accessor == path for found in objects)
    assert len(set(objects)) == 1


def test_every_group_is_found_where_its_place_says():
    for path, group in GROUPS.items():
        found = attrgetter(path)(Settings()) if path else Settings()
        cls = type(found)
        assert f"{cls.__module__}.{cls.__qualname__}" == group["model"]
        assert cls.model_config["env_prefix"] == group["env_prefix"]
        assert list(cls.model_config["prefect_toml_table_header"]) == group["prefect_toml_table"]
        assert list(cls.model_config["pyproject_toml_table_header"]) == group["pyproject_toml_table"]


def test_every_setting_and_group_is_described():
    for entry in entries().values():
        assert (entry.leaf.field.description or "").endswith("."), entry.path
    for path in GROUPS:
        assert (type(attrgetter(path)(Settings()) if path else Settings()).__doc__ or "").strip(), path


def test_the_packaged_profiles_are_the_published_ones():
    packaged = read_toml(prefect.settings.DEFAULT_PROFILES_PATH)
    assert packaged == CONTRACT["default_profiles"]


def test_the_public_names_are_these():
    assert prefect.settings.__all__ == sorted(prefect.settings.__all__)
    for name in prefect.settings.__all__:
        assert getattr(prefect.settings, name) is not None
