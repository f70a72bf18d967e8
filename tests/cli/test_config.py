"""`prefect config`."""

import json
from pathlib import Path

import pytest

from prefect.cli._runner import invoke
from prefect.settings import temporary_settings
from prefect.settings._files import read_toml


def test_the_view_shows_what_is_set_and_by_what(write_profiles, home: Path, monkeypatch: pytest.MonkeyPatch):
    write_profiles(
        'active = "q"\n[profiles.q]\nPREFECT_DEFAULT_WORK_POOL_NAME = "k"\nPREFECT_LOGGING_LEVEL = "debug"\n'
    )
    Path("prefect.toml").write_text("[server.api]\nport = 4201\n")
    Path("pyproject.toml").write_text('[tool.prefect.api]\nurl = "http://pp/api"\n')
    Path(".env").write_text("PREFECT_API_KEY=hush\n")
    monkeypatch.setenv("PREFECT_CLIENT_MAX_RETRIES", "1")
    result = invoke(["config", "view"])
    assert result.stdout.splitlines()[2:] == [
        "PREFECT_PROFILE='q'",
        "PREFECT_API_KEY='********' (from .env file)",
        "PREFECT_API_URL='http://pp/api' (from pyproject.toml)",
        "PREFECT_CLIENT_MAX_RETRIES='1' (from env)",
        "PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME='k' (from profile)",
        f"PREFECT_HOME='{home}' (from env)",
        "PREFECT_LOGGING_LEVEL='debug' (from profile)",
        "PREFECT_SERVER_API_PORT='4201' (from prefect.toml)",
    ]
    assert result.stdout.splitlines()[1] == "http://pp"


def test_the_view_can_leave_out_sources_and_show_secrets(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_API_KEY", "hush")
    assert "hush" not in invoke(["config", "view"]).stdout
    assert "PREFECT_API_KEY='hush'\n" in invoke(["config", "view", "--show-secrets", "--hide-sources"]).stdout


def test_the_view_can_show_defaults(home: Path):
    lines = invoke(["config", "view", "--show-defaults"]).stdout.splitlines()
    assert len(lines) == 231
    assert lines[1:] == sorted(lines[1:])
    assert "PREFECT_SERVER_API_PORT='4200' (from defaults)" in lines
    assert f"PREFECT_RESULTS_LOCAL_STORAGE_PATH='{home}/storage' (from defaults)" in lines
    assert "PREFECT_SERVER_DATABASE_CONNECTION_URL='********' (from defaults)" in lines


def test_the_view_as_json(monkeypatch: pytest.MonkeyPatch, home: Path):
    monkeypatch.setenv("PREFECT_API_URL", "http://h/api")
    monkeypatch.setenv("PREFECT_API_KEY", "hush")
    assert json.loads(invoke(["config", "view", "-o", "json"]).stdout) == {
        "profile": "ephemeral",
        "settings": [
            {"name": "PREFECT_API_KEY", "value": "********", "source": "env"},
            {"name": "PREFECT_API_URL", "value": "http://h/api", "source": "env"},
            {"name": "PREFECT_HOME", "value": str(home), "source": "env"},
            {"name": "PREFECT_SERVER_EPHEMERAL_ENABLED", "value": "true", "source": "profile"},
        ],
        "ui_url": "http://h",
    }


def test_the_view_shows_temporary_settings():
    with temporary_settings({"server.api.port": 5}):
        assert "PREFECT_SERVER_API_PORT='5' (from runtime)" in invoke(["config", "view"]).stdout


def test_settings_are_written_to_the_active_profile(home: Path):
    result = invoke(["config", "set", "PREFECT_DEFAULT_WORK_POOL_NAME=pool", "PREFECT_TEST_SETTING=a=b"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "Set 'PREFECT_DEFAULT_WORK_POOL_NAME' to 'pool'.",
        "Set 'PREFECT_TEST_SETTING' to 'a=b'.",
        "Updated profile 'ephemeral'.",
    ]
    assert read_toml(home / "profiles.toml")["profiles"]["ephemeral"] == {
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "true",
        "PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME": "pool",
        "PREFECT_TESTING_TEST_SETTING": "a=b",
    }


def test_settings_are_written_to_the_profile_of_the_call(home: Path):
    assert invoke(["-p", "local", "config", "set", "PREFECT_API_URL=u"]).exit_code == 0
    assert read_toml(home / "profiles.toml")["profiles"] == {"local": {"PREFECT_API_URL": "u"}}


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("FOO", "NAME=VALUE"),
        ("PREFECT_FOO=1", "Unknown setting name 'PREFECT_FOO'"),
        ("PREFECT_API_ULR=1", "Did you mean 'PREFECT_API_URL'?"),
        ("PREFECT_HOME=/x", "'PREFECT_HOME' cannot be in a profile"),
        ("PREFECT_PROFILES_PATH=/x", "cannot be in a profile"),
        ("PREFECT_SERVER_API_PORT=abc", "PREFECT_SERVER_API_PORT='abc' is not valid: Input should be a valid integer"),
        ("PREFECT_FLOWS_HEARTBEAT_FREQUENCY=1", "greater than or equal to 30"),
    ],
)
def test_one_bad_assignment_spoils_them_all(assignment: str, message: str, write_profiles):
    path = write_profiles('[profiles.ephemeral]\nPREFECT_UI_URL = "before"\n')
    before = path.read_bytes()
    result = invoke(["config", "set", "PREFECT_UI_URL=after", assignment])
    assert (result.exit_code, result.stderr) == (1, "")
    assert message in result.stdout
    assert path.read_bytes() == before


def test_setting_a_secret_does_not_show_it():
    assert "hush" not in invoke(["config", "set", "PREFECT_API_KEY=hush"]).stdout


def test_a_stronger_environment_variable_is_pointed_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_API_URL", "http://environment/api")
    assert "Run `unset PREFECT_API_URL`" in invoke(["config", "set", "PREFECT_API_URL=u"]).stdout
    assert "Run `unset PREFECT_API_URL`" in invoke(["config", "unset", "PREFECT_API_URL"]).stdout


def test_settings_are_removed(write_profiles):
    path = write_profiles('active = "q"\n[profiles.q]\nPREFECT_API_URL = "u"\nPREFECT_DEFAULT_WORK_POOL_NAME = "k"\n')
    result = invoke(["config", "unset", "PREFECT_API_URL", "PREFECT_DEFAULT_WORK_POOL_NAME"])
    assert result.stdout.splitlines() == [
        "Unset 'PREFECT_API_URL'.",
        "Unset 'PREFECT_DEFAULT_WORK_POOL_NAME'.",
        "Updated profile 'q'.",
    ]
    assert read_toml(path) == {"active": "q", "profiles": {"q": {}}}


def test_what_is_not_set_cannot_be_removed(write_profiles):
    path = write_profiles('active = "q"\n[profiles.q]\nPREFECT_API_URL = "u"\n')
    for name, message in (("PREFECT_NOPE", "Unknown setting name"), ("PREFECT_UI_URL", "is not set in profile 'q'")):
        result = invoke(["config", "unset", "PREFECT_API_URL", name])
        assert (result.exit_code, message in result.stdout) == (1, True)
    assert read_toml(path)["profiles"]["q"] == {"PREFECT_API_URL": "u"}


def test_removing_asks_first_where_somebody_answers(write_profiles):
    path = write_profiles('active = "q"\n[profiles.q]\nPREFECT_API_URL = "u"\n')
    assert invoke(["config", "unset", "PREFECT_API_URL", "--prompt"], input="n\n").exit_code == 1
    assert read_toml(path)["profiles"]["q"] == {"PREFECT_API_URL": "u"}
    assert invoke(["config", "unset", "PREFECT_API_URL", "--prompt"], input="y\n").exit_code == 0
    assert read_toml(path)["profiles"]["q"] == {}


def test_a_profile_is_checked_and_brought_up_to_date(write_profiles):
    path = write_profiles('active = "q"\n[profiles.q]\nPREFECT_DEFAULT_WORK_POOL_NAME = "k"\n')
    assert invoke(["config", "validate"]).exit_code == 0
    assert read_toml(path)["profiles"]["q"] == {"PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME": "k"}
    path.write_text('active = "q"\n[profiles.q]\nPREFECT_SERVER_API_PORT = "a"\nPREFECT_DEBUG_MODE = "b"\n')
    result = invoke(["config", "validate"])
    assert (result.exit_code, result.stderr) == (1, "")
    assert len(result.stdout.splitlines()) == 2


def test_broken_settings_can_be_mended(write_profiles):
    path = write_profiles('[profiles.ephemeral]\nPREFECT_SERVER_API_PORT = "a"\nPREFECT_SERVER_DATABASE_DRIVER = "b"\n')
    assert invoke(["config", "view"]).exit_code == 1
    assert invoke(["config", "set", "PREFECT_SERVER_API_PORT=1"]).exit_code == 0
    assert invoke(["config", "unset", "PREFECT_SERVER_DATABASE_DRIVER"]).exit_code == 0
    assert read_toml(path)["profiles"]["ephemeral"] == {"PREFECT_SERVER_API_PORT": "1"}
    assert invoke(["config", "view"]).exit_code == 0
