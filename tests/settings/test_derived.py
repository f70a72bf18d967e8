"""Settings that follow from others, and combinations that are wrong."""

import pytest
from pydantic import ValidationError

from prefect.settings import Settings, temporary_settings
from prefect.settings._derive import kind_of_server

CLOUD = "https://api.prefect.cloud/api/accounts/A/workspaces/W"


def with_(**values):
    return Settings().copy_with_update(updates={name.replace("__", "."): value for name, value in values.items()})


def database_url(**values: object) -> str:
    settings = with_(**{f"server__database__{name}": value for name, value in values.items()})
    assert settings.server.database.connection_url is not None
    return settings.server.database.connection_url.get_secret_value()


@pytest.mark.parametrize(
    ("api_url", "ui_url"),
    [
        (None, None),
        ("", None),
        ("http://h:4200/api", "http://h:4200"),
        ("http://h:4200/api/", "http://h:4200"),
        ("http://h/base/api", "http://h/base"),
        ("http://h", "http://h"),
        (CLOUD, "https://app.prefect.cloud/account/A/workspace/W"),
    ],
)
def test_the_address_of_the_interface_follows_the_api(api_url: str | None, ui_url: str | None):
    assert with_(api__url=api_url).ui_url == ui_url
    assert with_(api__url=api_url, ui_url="http://mine").ui_url == "http://mine"


def test_the_server_s_interface_talks_to_the_api_or_to_its_own_server():
    assert with_().server.ui.api_url == "http://127.0.0.1:4200/api"
    assert with_(server__api__host="0.0.0.0", server__api__port=5).server.ui.api_url == "http://0.0.0.0:5/api"
    assert with_(api__url="http://h/api").server.ui.api_url == "http://h/api"
    assert with_(server__ui__api_url="http://x", api__url="http://h/api").server.ui.api_url == "http://x"


@pytest.mark.parametrize(
    ("api_url", "ui_url"),
    [
        ("https://api.stg.prefect.dev/api", "https://app.stg.prefect.dev"),
        ("https://api.prefect.cloud/api", "https://app.prefect.cloud"),
        ("https://foo.bar/api", "https://foo.bar"),
    ],
)
def test_the_address_of_the_cloud_interface_follows_its_api(api_url: str, ui_url: str):
    assert with_(cloud__api_url=api_url).cloud.ui_url == ui_url


@pytest.mark.parametrize("mode", ["debug_mode", "testing.test_mode"])
def test_debug_and_test_mode_log_everything(mode: str):
    explicit = with_(logging__level="ERROR")
    with temporary_settings({"logging.level": "ERROR", mode: True}) as settings:
        assert (settings.logging.level, settings.internal.logging_level) == ("DEBUG", "DEBUG")
        with temporary_settings({mode: False}) as restored:
            assert (restored.logging.level, restored.internal.logging_level) == ("ERROR", "ERROR")
    assert explicit.logging.level == "ERROR"


def test_cloud_takes_shorter_messages():
    assert with_(api__url=CLOUD).logging.to_api.max_log_size == 25_000
    assert with_(api__url=CLOUD, logging__to_api__max_log_size=10).logging.to_api.max_log_size == 10
    assert with_(api__url=CLOUD).connected_to_cloud
    assert not with_(api__url="http://h/api").connected_to_cloud


def test_the_database_is_in_the_home_folder_unless_said_otherwise(home):
    assert database_url() == f"sqlite+aiosqlite:///{home}/prefect.db"
    assert database_url(driver="sqlite+aiosqlite") == f"sqlite+aiosqlite:///{home}/prefect.db"
    assert database_url(driver="sqlite+aiosqlite", name="/x/y.db") == "sqlite+aiosqlite:////x/y.db"
    assert database_url(connection_url="postgresql://u@h/n") == "postgresql://u@h/n"


def test_the_database_s_address_is_made_of_its_parts():
    parts = {"driver": "postgresql+asyncpg", "host": "h", "user": "u", "name": "n"}
    assert database_url(**parts) == "postgresql+asyncpg://u@h:5432/n"
    assert database_url(**parts, password="p@ /w", port=99) == "postgresql+asyncpg://u:p%40%20%2Fw@h:99/n"
    with pytest.raises(ValidationError, match=r"_HOST, PREFECT_SERVER_DATABASE_USER, PREFECT_SERVER_DATABASE_NAME"):
        with_(server__database__driver="postgresql+asyncpg")
    with pytest.raises(ValidationError, match=r"server\.database\.driver"):
        with_(server__database__driver="mysql")


@pytest.mark.parametrize("name", ["PREFECT_SERVER_DATABASE_PASSWORD", "PREFECT_API_DATABASE_PASSWORD"])
def test_the_password_is_put_into_the_database_s_address(name: str):
    url = f"postgresql+asyncpg://u:${{{name}}}@h/n"
    assert database_url(connection_url=url, password="p@w") == "postgresql+asyncpg://u:p%40w@h/n"
    with pytest.raises(ValidationError, match="no password is set"):
        with_(server__database__connection_url=url)


def test_a_password_without_a_place_is_warned_of_and_not_shown():
    with pytest.warns(UserWarning, match="PREFECT_SERVER_DATABASE_PASSWORD has no effect") as caught:
        database_url(connection_url="postgresql://u@h/n", password="hush-hush")
    assert "hush-hush" not in str(caught[0].message)


def test_a_message_must_fit_into_a_batch():
    with pytest.raises(ValidationError, match=r"MAX_LOG_SIZE \(1000000\) is larger than .*BATCH_SIZE \(10\)"):
        with_(logging__to_api__batch_size=10)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://app.prefect.cloud/api/accounts/A/workspaces/W", "interface"),
        ("https://api.prefect.cloud/accounts/A/workspaces/W", "/api"),
        ("https://api.prefect.cloud/api/workspaces/W", "account"),
    ],
)
def test_an_address_of_the_cloud_that_cannot_be_right_is_warned_of(url: str, problem: str):
    with pytest.warns(UserWarning, match=problem):
        with_(api__url=url)
    with_(api__url=url, silence_api_url_misconfiguration=True)
    with_(api__url=CLOUD)


def test_what_is_deleted_follows_what_is_chosen():
    def kinds(value: object) -> set[str]:
        return with_(server__services__db_vacuum__enabled=value).server.services.db_vacuum.enabled_vacuum_types

    assert kinds("events") == kinds(False) == kinds(None) == {"events"}
    assert kinds(True) == kinds("events,flow_runs") == {"events", "flow_runs", "orphans"}
    with pytest.raises(ValidationError, match="bogus"):
        kinds("bogus")


def test_the_kind_of_server_follows_address_and_profile():
    assert kind_of_server(with_()) == "ephemeral"
    assert kind_of_server(with_(server__ephemeral__enabled=False)) == "unconfigured"
    assert kind_of_server(with_(api__url="http://h/api")) == "server"
    assert kind_of_server(with_(api__url=CLOUD)) == "cloud"
