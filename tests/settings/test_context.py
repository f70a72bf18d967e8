"""Settings that apply in a block."""

import asyncio
import contextvars
import stat
import threading
from pathlib import Path

import pytest
from pydantic import ValidationError

from prefect.settings import (
    PREFECT_API_KEY,
    PREFECT_API_URL,
    PREFECT_HOME,
    PREFECT_LOGGING_LEVEL,
    Profile,
    Settings,
    get_current_settings,
    load_current_profile,
    temporary_settings,
)
from prefect.settings.context import (
    activate_settings,
    get_active_settings,
    get_current_profile,
    refresh_settings,
    use_environment,
    use_profile,
)
from prefect.settings.legacy import Setting

PROFILES = """\
active = "a"
[profiles.a]
PREFECT_API_URL = "http://a/api"
PREFECT_LOGGING_LEVEL = "ERROR"
[profiles.b]
PREFECT_API_URL = "http://b/api"
"""


def test_settings_are_read_once_and_kept(monkeypatch: pytest.MonkeyPatch):
    settings = get_current_settings()
    monkeypatch.setenv("PREFECT_API_URL", "http://later/api")
    assert get_current_settings() is settings
    refresh_settings()
    assert get_current_settings().api.url == "http://later/api"


def test_the_home_folder_is_made_for_its_owner_alone(home: Path):
    get_current_settings()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_home_folder_that_cannot_be_made_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "file" / "home"))
    with pytest.warns(UserWarning, match="Cannot create the home folder"):
        get_current_settings()


def test_temporary_settings_take_objects_names_and_paths():
    with temporary_settings({PREFECT_API_URL: "u", "PREFECT_API_KEY": "k", "server.api.port": "5"}) as settings:
        assert get_current_settings() is settings
        assert (settings.api.url, settings.server.api.port) == ("u", 5)
        assert PREFECT_API_KEY.value() == "k"
    assert get_current_settings().api.url is None


def test_temporary_settings_nest_and_keep_what_they_do_not_change():
    with temporary_settings({"api.url": "outer", "logging.level": "debug"}):
        with temporary_settings({"api.url": "inner"}) as settings:
            assert (settings.api.url, settings.logging.level) == ("inner", "DEBUG")
        assert PREFECT_API_URL.value() == "outer"


def test_defaults_apply_only_where_nothing_sets_the_setting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_API_URL", "environment")
    with temporary_settings(set_defaults={"api.url": "default", "logging.colors": False}) as settings:
        assert (settings.api.url, settings.logging.colors) == ("environment", False)
    with temporary_settings({"api.url": "update"}, set_defaults={"api.url": "default"}) as settings:
        assert settings.api.url == "update"


def test_restored_defaults_ignore_every_source(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_API_URL", "environment")
    with temporary_settings(restore_defaults=[PREFECT_API_URL, PREFECT_HOME]) as settings:
        assert settings.api.url is None
        assert settings.home == tmp_path / ".prefect"
        assert settings.results.local_storage_path == tmp_path / ".prefect" / "storage"
    with temporary_settings({"api.url": "update"}, restore_defaults=["api.url"]) as settings:
        assert settings.api.url == "update"


def test_what_follows_from_a_setting_follows_in_a_block(tmp_path):
    with temporary_settings({"home": tmp_path / "new", "api.url": "http://h/api"}) as settings:
        assert settings.profiles_path == tmp_path / "new" / "profiles.toml"
        assert settings.logging.config_path == tmp_path / "new" / "logging.yml"
        assert settings.server.memo_store_path == tmp_path / "new" / "memo_store.toml"
        url = settings.server.database.connection_url
        assert url is not None and url.get_secret_value() == f"sqlite+aiosqlite:///{tmp_path}/new/prefect.db"
        assert settings.ui_url == "http://h"


def test_temporary_settings_are_checked():
    with pytest.raises(ValidationError, match=r"server\.api\.port"), temporary_settings({"server.api.port": "x"}):
        pass
    for key in ("api.nope", "api", "PREFECT_NOPE"):
        with pytest.raises(ValueError, match=f"Unknown setting: '{key}'"), temporary_settings({key: 1}):
            pass


def test_temporary_settings_stay_in_their_context():
    seen: list[str | None] = []

    def look() -> None:
        seen.append(get_current_settings().api.url)

    with temporary_settings({"api.url": "here"}):
        for target in (look, lambda context=contextvars.copy_context(): context.run(look)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()

    async def both() -> None:
        async def change(url: str) -> None:
            with temporary_settings({"api.url": url}):
                await asyncio.sleep(0)
                seen.append(get_current_settings().api.url)

        await asyncio.gather(change("one"), change("two"))

    asyncio.run(both())
    assert seen == [None, "here", "one", "two"]


def test_a_profile_is_used_in_a_block(write_profiles):
    write_profiles(PROFILES)
    assert load_current_profile().name == "a"
    with use_profile("b") as active:
        assert active.profile.name == load_current_profile().name == "b"
        assert active.settings is get_current_settings()
        assert PREFECT_API_URL.value() == "http://b/api"
        assert PREFECT_LOGGING_LEVEL.value() == "INFO"  # profile a, which said otherwise, is not in use
    assert PREFECT_LOGGING_LEVEL.value() == "ERROR"


def test_a_profile_keeps_settings_of_the_blocks_around_unless_told_otherwise(write_profiles):
    write_profiles(PROFILES)
    with temporary_settings({"client.max_retries": 9, "api.url": "outer"}):
        with use_profile("b"):
            assert (get_current_settings().client.max_retries, PREFECT_API_URL.value()) == (9, "http://b/api")
        with use_profile("b", include_current_context=False):
            assert (get_current_settings().client.max_retries, PREFECT_API_URL.value()) == (5, "http://b/api")


@pytest.mark.parametrize("include_current_context", [True, False])
def test_the_environment_beats_a_profile_unless_overridden(
    include_current_context: bool, write_profiles, monkeypatch: pytest.MonkeyPatch
):
    write_profiles(PROFILES)
    monkeypatch.setenv("PREFECT_API_URL", "http://environment/api")
    with use_profile("b", include_current_context=include_current_context):
        assert PREFECT_API_URL.value() == "http://environment/api"
    with use_profile("b", override_environment_variables=True, include_current_context=include_current_context):
        assert PREFECT_API_URL.value() == "http://b/api"


def test_a_profile_object_is_used_as_it_is():
    with use_profile(Profile(name="mine", settings={PREFECT_API_URL: "u"})):
        assert (PREFECT_API_URL.value(), load_current_profile().name) == ("u", "mine")


def test_an_unknown_profile_cannot_be_used():
    with pytest.raises(ValueError, match="'zz' not found"), use_profile("zz"):
        pass


def test_settings_made_inside_a_profile_s_block_read_that_profile(write_profiles):
    write_profiles(PROFILES)
    with use_profile("b"):
        assert Settings().api.url == "http://b/api"


def test_settings_of_another_process_apply_exactly(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "ERROR")
    with use_environment({"PREFECT_API_URL": "handed over", "PREFECT_API_KEY": "k"}):
        assert (PREFECT_API_URL.value(), PREFECT_API_KEY.value(), PREFECT_LOGGING_LEVEL.value()) == (
            "handed over",
            "k",
            "INFO",
        )
    assert PREFECT_LOGGING_LEVEL.value() == "ERROR"


def test_settings_and_profile_can_be_put_in_place_together():
    settings = Settings(api={"url": "u"})
    with activate_settings(settings, Profile(name="p")):
        assert get_current_settings() is settings
        assert get_current_profile().name == get_active_settings().profile_name == "p"
    with activate_settings(settings):
        assert get_current_profile().name == "ephemeral"


# -- setting objects ---------------------------------------------------------------------------------------------------


def test_a_setting_object_follows_the_context():
    assert not PREFECT_API_URL
    assert (PREFECT_API_URL.value(), PREFECT_API_URL.default(), str(PREFECT_API_URL)) == (None, None, "None")
    with temporary_settings({PREFECT_API_URL: "u"}):
        assert PREFECT_API_URL
        assert (PREFECT_API_URL.value(), str(PREFECT_API_URL)) == ("u", "u")
    assert PREFECT_API_URL.value_from(Settings(api={"url": "v"})) == "v"


def test_setting_objects_are_equal_if_they_name_the_same_setting():
    older = Setting("PREFECT_DEFAULT_WORK_POOL_NAME", None, str)
    newer = Setting("PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME", None, str)
    assert older == newer and hash(older) == hash(newer)
    assert older != PREFECT_API_URL
    assert older.accessor == "deployments.default_work_pool_name"
    assert older.name == "PREFECT_DEFAULT_WORK_POOL_NAME"


def test_an_unknown_setting_object_is_an_attribute_error():
    import prefect.settings

    with pytest.raises(AttributeError, match="PREFECT_NOPE"):
        prefect.settings.PREFECT_NOPE  # noqa: B018
