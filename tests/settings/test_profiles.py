"""Profiles: reading, choosing, changing and writing them."""

import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from prefect.exceptions import ProfileSettingsValidationError
from prefect.settings import (
    DEFAULT_PROFILES_PATH,
    PREFECT_API_KEY,
    PREFECT_API_URL,
    Profile,
    ProfilesCollection,
    get_current_settings,
    load_current_profile,
    load_profile,
    load_profiles,
    save_profiles,
    temporary_settings,
    update_current_profile,
)
from prefect.settings._files import SettingsError, read_toml

TWO = """\
active = "a"

# what we use at work
[profiles.a]
PREFECT_API_URL = "http://a/api"  # the big one

[profiles.b]
PREFECT_API_URL = "http://b/api"
PREFECT_API_KEY = "hush"
"""


# -- reading and choosing ----------------------------------------------------------------------------------------------


def test_a_new_home_has_the_packaged_profiles_and_ephemeral_is_active():
    profiles = load_profiles()
    assert profiles.names == {"ephemeral", "local", "cloud", "test"}
    assert profiles.active_name == "ephemeral"
    assert get_current_settings().server.ephemeral.enabled
    assert load_current_profile().name == "ephemeral"
    assert load_current_profile().source == DEFAULT_PROFILES_PATH
    assert load_profiles(include_defaults=False).to_dict() == {"active": None, "profiles": {}}


def test_a_user_s_profile_replaces_the_packaged_one_of_the_same_name(write_profiles):
    path = write_profiles('[profiles.local]\nPREFECT_API_URL = "http://mine/api"\n')
    assert load_profile("local").to_environment_variables() == {"PREFECT_API_URL": "http://mine/api"}
    assert load_profile("local").source == path


def test_the_variable_beats_the_file_in_choosing_a_profile(write_profiles, monkeypatch: pytest.MonkeyPatch):
    write_profiles(TWO)
    monkeypatch.setenv("PREFECT_PROFILE", "b")
    assert get_current_settings().api.url == "http://b/api"
    assert load_current_profile().name == "b"


def test_a_missing_active_profile_is_reported_and_ephemeral_used(
    write_profiles, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    write_profiles('active = "gone"\n')
    assert get_current_settings().server.ephemeral.enabled
    assert "'gone'" in capsys.readouterr().err
    monkeypatch.setenv("PREFECT_PROFILE", "nowhere")
    assert load_current_profile().name == "ephemeral"


def test_profiles_may_be_elsewhere(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home.mkdir()
    (home / "other.toml").write_text('active = "x"\n[profiles.x]\nPREFECT_API_URL = "x"\n')
    Path("prefect.toml").write_text('profiles_path = "$PREFECT_HOME/other.toml"\n')
    assert get_current_settings().api.url == "x"
    assert load_profiles().names >= {"x"}


def test_the_profile_decides_nothing_about_where_profiles_are(home: Path, write_profiles):
    write_profiles('[profiles.ephemeral]\nPREFECT_HOME = "/elsewhere"\nPREFECT_PROFILES_PATH = "/elsewhere/p.toml"\n')
    settings = get_current_settings()
    assert (settings.home, settings.profiles_path) == (home, home / "profiles.toml")


def test_unknown_names_in_a_profile_are_skipped_with_a_warning(write_profiles):
    write_profiles('[profiles.ephemeral]\nPREFECT_NOPE = "1"\nPREFECT_UI_URL = "u"\n')
    with pytest.warns(UserWarning, match=r"'PREFECT_NOPE' in profile 'ephemeral' is not a setting"):
        assert get_current_settings().ui_url == "u"


def test_an_older_name_in_a_profile_is_the_same_setting_and_the_canonical_one_wins(write_profiles):
    write_profiles(
        '[profiles.ephemeral]\nPREFECT_DEFAULT_WORK_POOL_NAME = "older"\n'
        '[profiles.both]\nPREFECT_DEFAULT_WORK_POOL_NAME = "older"\nPREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME = "new"\n'
    )
    assert get_current_settings().deployments.default_work_pool_name == "older"
    name = "PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME"
    assert load_profile("ephemeral").to_environment_variables() == {name: "older"}
    assert load_profile("both").to_environment_variables() == {name: "new"}


def test_a_broken_profiles_file_warns_and_counts_as_absent_but_is_not_overwritten(write_profiles):
    path = write_profiles('active = "a\n')
    with pytest.warns(UserWarning, match="invalid TOML"):
        assert load_current_profile().name == "ephemeral"
    with pytest.raises(SettingsError, match="invalid TOML"), pytest.warns(UserWarning):
        update_current_profile({"api.url": "x"})
    assert path.read_text() == 'active = "a\n'


@pytest.mark.parametrize("name", ["PREFECT_TEST_MODE", "PREFECT_UNIT_TEST_MODE", "PREFECT_TESTING_TEST_MODE"])
def test_in_test_mode_the_user_s_profiles_do_not_count(name: str, write_profiles, monkeypatch: pytest.MonkeyPatch):
    write_profiles(TWO)
    monkeypatch.setenv(name, "true")
    assert get_current_settings().api.url is None


def test_an_unknown_profile_is_named(write_profiles):
    write_profiles(TWO)
    with pytest.raises(ValueError, match=r"'zz' not found. Known are: a, b, cloud"):
        load_profile("zz")


# -- writing -----------------------------------------------------------------------------------------------------------


def test_saved_profiles_are_private_and_leave_out_unchanged_packaged_ones(home: Path):
    profiles = load_profiles()
    profiles.add_profile(Profile(name="mine", settings={PREFECT_API_URL: "u"}))
    save_profiles(profiles)
    path = home / "profiles.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_toml(path) == {"active": "ephemeral", "profiles": {"mine": {"PREFECT_API_URL": "u"}}}
    assert list(home.iterdir()) == [path]


def test_comments_in_the_file_are_kept(write_profiles):
    path = write_profiles(TWO)
    update_current_profile({"PREFECT_LOGGING_LEVEL": "DEBUG"})
    profiles = load_profiles()
    profiles.remove_profile("b")
    profiles.set_active("local")
    save_profiles(profiles)
    assert path.read_text().rstrip() == (
        'active = "local"\n\n# what we use at work\n[profiles.a]\n'
        'PREFECT_API_URL = "http://a/api"  # the big one\nPREFECT_LOGGING_LEVEL = "DEBUG"'
    )


def test_the_active_profile_is_written_above_the_tables(write_profiles):
    path = write_profiles('# mine\n[profiles.a]\nPREFECT_API_URL = "x"\n')
    profiles = load_profiles()
    profiles.set_active("a")
    save_profiles(profiles)
    assert read_toml(path) == {"active": "a", "profiles": {"a": {"PREFECT_API_URL": "x"}}}


def test_a_linked_profiles_file_stays_a_link(home: Path, tmp_path: Path):
    home.mkdir()
    target = tmp_path / "dotfiles.toml"
    target.write_text(TWO)
    (home / "profiles.toml").symlink_to(target)
    update_current_profile({PREFECT_API_URL: "new"})
    assert (home / "profiles.toml").is_symlink()
    assert read_toml(target)["profiles"]["a"] == {"PREFECT_API_URL": "new"}


def test_settings_of_other_packages_in_a_profile_survive_a_change(write_profiles):
    path = write_profiles('[profiles.ephemeral]\nPREFECT_INTEGRATIONS_CLOUDY_REGION = "r"\n')
    update_current_profile({"api.url": "u"})
    assert read_toml(path)["profiles"]["ephemeral"] == {
        "PREFECT_INTEGRATIONS_CLOUDY_REGION": "r",
        "PREFECT_API_URL": "u",
    }


def test_the_current_profile_is_updated_by_name_path_or_object(home: Path):
    profile = update_current_profile({"PREFECT_DEFAULT_WORK_POOL_NAME": "pool", "api.url": "u", PREFECT_API_KEY: "k"})
    assert profile.name == "ephemeral"
    expected = {
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "true",
        "PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME": "pool",
        "PREFECT_API_URL": "u",
        "PREFECT_API_KEY": "k",
    }
    assert profile.to_environment_variables() == expected
    assert load_profile("ephemeral").to_environment_variables() == expected
    update_current_profile({"api.url": None})
    assert "PREFECT_API_URL" not in load_profile("ephemeral").to_environment_variables()


def test_a_value_that_does_not_fit_is_not_written(write_profiles):
    path = write_profiles(TWO)
    with pytest.raises(ProfileSettingsValidationError) as caught:
        update_current_profile({"server.api.port": "x", "PREFECT_UI_URL": "fine", "server.api.default_limit": "y"})
    assert [setting.name for setting, _ in caught.value.errors] == [
        "PREFECT_SERVER_API_PORT",
        "PREFECT_SERVER_API_DEFAULT_LIMIT",
    ]
    assert all(isinstance(problem, ValidationError) for _, problem in caught.value.errors)
    assert path.read_text() == TWO


def test_a_profile_can_be_mended_although_it_makes_the_settings_invalid(write_profiles):
    write_profiles('[profiles.ephemeral]\nPREFECT_SERVER_API_PORT = "x"\nPREFECT_FLOWS_DEFAULT_RETRIES = "y"\n')
    update_current_profile({"server.api.port": "1"})
    update_current_profile({"flows.default_retries": None})
    assert get_current_settings().server.api.port == 1


def test_profiles_of_temporary_settings_are_read_and_written_there(home: Path, tmp_path: Path):
    with temporary_settings({"profiles_path": tmp_path / "p.toml"}):
        update_current_profile({"api.url": "u"})
        assert load_profile("ephemeral").settings[PREFECT_API_URL] == "u"
    assert (tmp_path / "p.toml").exists()
    assert not (home / "profiles.toml").exists()


# -- profiles and collections ------------------------------------------------------------------------------------------


def test_a_profile_takes_names_paths_and_objects():
    profile = Profile(name="x", settings={"PREFECT_API_URL": "u", "server.api.port": 77, PREFECT_API_KEY: "k"})
    assert profile.to_environment_variables() == {
        "PREFECT_API_URL": "u",
        "PREFECT_SERVER_API_PORT": "77",
        "PREFECT_API_KEY": "k",
    }
    with pytest.warns(UserWarning, match="PREFECT_NOPE"):
        assert Profile(name="x", settings={"PREFECT_NOPE": "1"}).settings == {}


def test_a_profile_checks_its_values():
    Profile(name="x", settings={"PREFECT_SERVER_API_PORT": "1"}).validate_settings()
    with pytest.raises(ProfileSettingsValidationError) as caught:
        Profile(name="x", settings={"PREFECT_SERVER_API_PORT": "u"}).validate_settings()
    [(setting, problem)] = caught.value.errors
    assert setting.name == "PREFECT_SERVER_API_PORT"
    assert problem.errors()[0]["loc"] == ("server", "api", "port")


def test_a_collection_knows_its_active_profile():
    profiles = ProfilesCollection([Profile(name="a"), Profile(name="b")], active="a")
    assert profiles.active_profile == profiles["a"]
    profiles.set_active("b")
    assert profiles.active_name == "b"
    with pytest.raises(ValueError, match="'zz'"):
        profiles.set_active("zz")
    profiles.set_active("zz", check=False)
    profiles.set_active(None)
    assert profiles.active_profile is None


def test_a_collection_is_changed_by_name():
    profiles = ProfilesCollection([Profile(name="a")])
    with pytest.raises(ValueError, match="'a' exists already"):
        profiles.add_profile(Profile(name="a"))
    profiles.update_profile("new", {PREFECT_API_URL: "u", PREFECT_API_KEY: "k"}, source=Path("/file"))
    assert profiles.update_profile("new", {PREFECT_API_URL: None}).settings == {PREFECT_API_KEY: "k"}
    assert list(profiles) == ["a", "new"] and [name for name, _ in profiles.items()] == ["a", "new"]
    assert profiles.without_profile_source(Path("/file")).names == {"a"}
    profiles.remove_profile("new")
    assert profiles.names == {"a"}
    with pytest.raises(KeyError):
        profiles.remove_profile("new")


def test_collections_are_equal_by_content():
    assert ProfilesCollection([Profile(name="a")], "a") == ProfilesCollection([Profile(name="a")], "a")
    assert ProfilesCollection([Profile(name="a")], "a") != ProfilesCollection([Profile(name="a")])
    assert ProfilesCollection([Profile(name="a")]) != ProfilesCollection([Profile(name="a", settings={"ui_url": "x"})])
