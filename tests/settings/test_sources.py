"""Where values come from, and which of them counts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from prefect.settings import Settings, get_current_settings, temporary_settings
from prefect.settings._catalog import origins
from prefect.settings._files import SettingsError


def test_each_of_seven_places_beats_the_next(write_profiles, monkeypatch: pytest.MonkeyPatch):
    def url() -> str | None:
        return Settings().api.url

    assert url() is None  # default

    write_profiles('active = "mine"\n[profiles.mine]\nPREFECT_API_URL = "http://profile/api"\n')
    assert url() == "http://profile/api"

    Path("pyproject.toml").write_text('[tool.prefect.api]\nurl = "http://pyproject/api"\n')
    assert url() == "http://pyproject/api"

    Path("prefect.toml").write_text('[api]\nurl = "http://toml/api"\n')
    assert url() == "http://toml/api"

    Path(".env").write_text("PREFECT_API_URL=http://dotenv/api\n")
    assert url() == "http://dotenv/api"

    monkeypatch.setenv("PREFECT_API_URL", "http://environment/api")
    assert url() == "http://environment/api"

    assert Settings(api={"url": "http://argument/api"}).api.url == "http://argument/api"
    with temporary_settings({"api.url": "http://temporary/api"}):
        assert get_current_settings().api.url == "http://temporary/api"


def test_an_older_name_in_a_stronger_source_wins(monkeypatch: pytest.MonkeyPatch):
    Path(".env").write_text("PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME=dotenv\n")
    monkeypatch.setenv("PREFECT_DEFAULT_WORK_POOL_NAME", "environment")
    assert Settings().deployments.default_work_pool_name == "environment"


def test_a_source_sets_one_setting_of_a_group_and_leaves_the_others():
    Path("prefect.toml").write_text('[server.api]\nport = 4201\nhost = "toml"\n')
    Path(".env").write_text("PREFECT_SERVER_API_HOST=dotenv\n")
    api = Settings().server.api
    assert (api.port, api.host, api.default_limit) == (4201, "dotenv", 200)


def test_arguments_leave_what_other_sources_say_about_the_group(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_SERVER_API_HOST", "environment")
    settings = Settings(server={"api": {"port": 5}})
    assert (settings.server.api.port, settings.server.api.host) == (5, "environment")


def test_names_of_variables_match_in_any_case(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("prefect_api_url", "http://lower/api")
    assert Settings().api.url == "http://lower/api"


def test_an_empty_variable_counts_as_set(write_profiles, monkeypatch: pytest.MonkeyPatch):
    write_profiles('active = "local"\n')
    assert Settings().api.url == "http://127.0.0.1:4200/api"
    monkeypatch.setenv("PREFECT_API_URL", "")
    assert Settings().api.url == ""


def test_unknown_names_are_ignored(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_NO_SUCH_SETTING", "1")
    Path(".env").write_text("PREFECT_NOR_THIS=1\nOTHER=2\n")
    Path("prefect.toml").write_text("nor_that = 1\n[server.api]\nsomething = 2\n[unknown]\nx = 1\n")
    assert Settings() == Settings().copy_with_update()


def test_toml_values_have_their_own_types():
    Path("prefect.toml").write_text(
        'debug_mode = true\n[client]\nretry_extra_codes = [429, 503]\ncustom_headers = { X = "y" }\n'
        '[server.services.late_runs]\nafter_seconds = 4\n[logging]\nextra_loggers = ["a", "b"]\n'
    )
    settings = Settings()
    assert settings.debug_mode is True
    assert settings.client.retry_extra_codes == {429, 503}
    assert settings.client.custom_headers == {"X": "y"}
    assert settings.server.services.late_runs.after_seconds.total_seconds() == 4
    assert settings.logging.extra_loggers == ["a", "b"]


@pytest.mark.parametrize("name", ["prefect.toml", "pyproject.toml"])
def test_a_broken_toml_file_is_an_error_that_names_it(name: str):
    Path(name).write_text("[api\n")
    with pytest.raises(SettingsError, match=rf"'{name}'.*invalid TOML"):
        get_current_settings()


def test_a_changed_file_is_read_again():
    Path("prefect.toml").write_text("[server.api]\nport = 1\n")
    assert Settings().server.api.port == 1
    Path("prefect.toml").write_text("[server.api]\nport = 22\n")
    assert Settings().server.api.port == 22
    Path("prefect.toml").unlink()
    assert Settings().server.api.port == 4200


def test_plugin_settings_are_read_from_their_former_table_too():
    Path("prefect.toml").write_text("[experiments.plugins]\nenabled = true\nstrict = true\n[plugins]\nstrict = false\n")
    plugins = Settings().plugins
    assert (plugins.enabled, plugins.strict) == (True, False)


def test_a_dotenv_file_may_use_quotes_comments_exports_and_references(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MY_HOST", "host")
    Path(".env").write_text(
        "# a comment, PREFECT_CLOUD_API_URL=no\n"
        "export PREFECT_API_URL=http://${MY_HOST}/api   # trailing\n"
        "PREFECT_API_KEY='single # ${MY_HOST}'\n"
        'PREFECT_UI_URL="http://x/\\"y\\"\\n"\n'
        "PREFECT_RESULTS_DEFAULT_SERIALIZER = json\n"
        "PREFECT_TEST_SETTING=${NOT_THERE:-fallback}${NOT_THERE_EITHER}\n"
        'PREFECT_RUNNER_SERVER_HOST="two\nlines"\n'
        "prefect_server_api_port=9\n"
    )
    settings = Settings()
    assert settings.api.url == "http://host/api"
    assert settings.api.key is not None and settings.api.key.get_secret_value() == "single # ${MY_HOST}"
    assert settings.ui_url == 'http://x/"y"\n'
    assert settings.results.default_serializer == "json"
    assert settings.testing.test_setting == "fallback${NOT_THERE_EITHER}"
    assert settings.runner.server.host == "two\nlines"
    assert settings.server.api.port == 9


def test_a_folder_named_dotenv_is_no_settings_file():
    Path(".env").mkdir()
    assert Settings().api.url is None


def test_the_certificate_file_follows_the_variable_that_other_programs_use(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/certs.pem")
    assert Settings().api.ssl_cert_file == "/certs.pem"
    monkeypatch.setenv("PREFECT_API_SSL_CERT_FILE", "/mine.pem")
    assert Settings().api.ssl_cert_file == "/mine.pem"


def test_home_and_user_are_expanded_in_paths(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_RESULTS_LOCAL_STORAGE_PATH", "$PREFECT_HOME/mine")
    monkeypatch.setenv("PREFECT_LOGGING_CONFIG_PATH", "~/logging.yml")
    settings = Settings()
    assert settings.results.local_storage_path == home / "mine"
    assert settings.logging.config_path == tmp_path / "logging.yml"


def test_origins_say_which_source_counts(write_profiles, monkeypatch: pytest.MonkeyPatch):
    write_profiles('[profiles.ephemeral]\nPREFECT_API_URL = "p"\nPREFECT_LOGGING_LEVEL = "DEBUG"\n')
    Path("prefect.toml").write_text("[server.api]\nport = 1\n")
    Path(".env").write_text("PREFECT_UI_URL=d\n")
    monkeypatch.setenv("PREFECT_API_URL", "e")
    found = {path: (origin.source, origin.name, origin.value) for path, origin in origins().items()}
    del found["home"]
    assert found == {
        "api.url": ("env", "PREFECT_API_URL", "e"),
        "logging.level": ("profile", "PREFECT_LOGGING_LEVEL", "DEBUG"),
        "server.api.port": ("prefect.toml", "server.api.port", 1),
        "ui_url": (".env file", "PREFECT_UI_URL", "d"),
    }


# -- what is wrong with a value ----------------------------------------------------------------------------------------


def test_a_bad_value_is_reported_with_setting_value_reason_and_source(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_SERVER_API_PORT", "abc")
    Path("prefect.toml").write_text("[flows]\nheartbeat_frequency = 3\n")
    with pytest.raises(ValidationError) as caught:
        Settings()
    problems = {".".join(map(str, error["loc"])): error for error in caught.value.errors()}
    assert set(problems) == {"server.api.port", "flows.heartbeat_frequency"}
    assert problems["server.api.port"]["input"] == "abc"
    assert "valid integer" in problems["server.api.port"]["msg"]
    assert "(from env: PREFECT_SERVER_API_PORT)" in problems["server.api.port"]["msg"]
    assert "(from prefect.toml: flows.heartbeat_frequency)" in problems["flows.heartbeat_frequency"]["msg"]


def test_a_bad_secret_is_not_shown():
    Path("prefect.toml").write_text('[api]\nkey = ["hush-hush"]\n')
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert "api.key" in str(caught.value)
    assert "hush-hush" not in str(caught.value)


def test_values_are_parsed_to_the_type_of_the_setting(monkeypatch: pytest.MonkeyPatch):
    for text in ("1", "true", "True", "yes", "on", "t", "y"):
        monkeypatch.setenv("PREFECT_DEBUG_MODE", text)
        assert Settings().debug_mode is True
    for text in ("0", "false", "no", "off", "f", "n"):
        monkeypatch.setenv("PREFECT_DEBUG_MODE", text)
        assert Settings().debug_mode is False
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "warning")
    assert Settings().logging.level == "WARNING"


def test_importing_settings_reads_none_and_loads_no_heavy_library():
    program = (
        "import sys, prefect.settings\n"
        "from prefect.settings import context\n"
        "assert context._process is None\n"
        "prefect.settings.get_current_settings()\n"
        "heavy = {'pydantic_settings', 'tomlkit', 'httpx', 'rich', 'asyncio', 'dotenv', 'click', 'importlib.metadata'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=dict(os.environ))
    assert result.stdout == "[]\n", result.stderr
