"""`prefect profile`."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from prefect.cli._runner import invoke
from prefect.settings._files import read_toml

TWO = '# mine\nactive = "a"\n[profiles.a]\nPREFECT_API_URL = "http://a/api"\n[profiles.b]\nPREFECT_API_KEY = "k"\n'


def test_profiles_of_the_file_are_listed(write_profiles):
    assert json.loads(invoke(["profile", "ls", "-o", "json"]).stdout) == []
    assert "No profiles found" in invoke(["profile", "ls"]).stdout
    write_profiles(TWO)
    table = invoke(["profiles", "ls"]).stdout
    assert "Available Profiles:" in table and "* a" in table and "* b" not in table
    listed = [{"name": "a", "active": True}, {"name": "b", "active": False}]
    assert json.loads(invoke(["profile", "ls", "-o", "json"]).stdout) == listed


def test_a_profile_is_created_but_not_used(write_profiles):
    path = write_profiles(TWO)
    assert invoke(["profile", "create", "c"]).exit_code == 0
    assert invoke(["profile", "create", "--name", "d", "--from", "b"]).exit_code == 0
    content = read_toml(path)
    assert content["active"] == "a"
    assert content["profiles"]["c"] == {} and content["profiles"]["d"] == {"PREFECT_API_KEY": "k"}
    assert path.read_text().startswith("# mine\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create", "a"], "Profile 'a' already exists"),
        (["create", "new", "--from", "nope"], "Profile 'nope' not found."),
        (["use", "nope"], "Profile 'nope' not found."),
        (["delete", "nope"], "Profile 'nope' not found."),
        (["delete", "a"], "is the active profile"),
        (["rename", "nope", "x"], "Profile 'nope' not found."),
        (["rename", "a", "b"], "Profile 'b' already exists."),
        (["inspect", "nope"], "Profile 'nope' not found."),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(arguments: list[str], message: str, write_profiles):
    path = write_profiles(TWO)
    result = invoke(["profile", *arguments])
    assert (result.exit_code, result.stderr) == (1, "")
    assert message in result.stdout
    assert path.read_text() == TWO


def test_a_profile_is_deleted(write_profiles):
    path = write_profiles(TWO)
    assert invoke(["profile", "delete", "b", "--prompt"], input="n\n").exit_code == 1
    assert invoke(["profile", "delete", "b"]).exit_code == 0
    assert list(read_toml(path)["profiles"]) == ["a"]


def test_the_active_profile_of_the_call_is_not_deleted(write_profiles, monkeypatch: pytest.MonkeyPatch):
    write_profiles(TWO)
    monkeypatch.setenv("PREFECT_PROFILE", "b")
    assert invoke(["profile", "delete", "b"]).exit_code == 1


def test_a_renamed_profile_stays_active(write_profiles, monkeypatch: pytest.MonkeyPatch):
    path = write_profiles(TWO)
    assert invoke(["profile", "rename", "a", "z"]).exit_code == 0
    assert read_toml(path)["active"] == "z"
    assert read_toml(path)["profiles"]["z"] == {"PREFECT_API_URL": "http://a/api"}
    monkeypatch.setenv("PREFECT_PROFILE", "b")
    assert "PREFECT_PROFILE still chooses 'b'" in invoke(["profile", "rename", "b", "y"]).stdout


def test_a_profile_is_inspected(write_profiles):
    write_profiles(TWO + "[profiles.empty]\n")
    assert invoke(["profile", "inspect", "a"]).stdout == "PREFECT_API_URL='http://a/api'\n"
    assert "PREFECT_API_URL='http://a/api'" in invoke(["profile", "inspect"]).stdout
    assert invoke(["profile", "inspect", "empty"]).stdout == "Profile 'empty' is empty.\n"
    assert json.loads(invoke(["profile", "inspect", "-o", "json"]).stdout) == {"PREFECT_API_URL": "http://a/api"}
    assert json.loads(invoke(["profile", "inspect", "empty", "-o", "json"]).stdout) == {}


def test_packaged_profiles_are_added_where_they_are_missing(home: Path, write_profiles):
    path = write_profiles('# mine\n[profiles.local]\nPREFECT_API_URL = "my own"\n')
    result = invoke(["profile", "populate-defaults"])
    assert result.exit_code == 0
    assert "Add 'cloud'" in result.stdout and "Add 'local'" not in result.stdout
    content = read_toml(path)
    assert set(content["profiles"]) == {"local", "ephemeral", "cloud", "test"}
    assert content["profiles"]["local"] == {"PREFECT_API_URL": "my own"}
    assert "No changes needed" in invoke(["profile", "populate-defaults"]).stdout


def test_a_backup_is_offered_before_profiles_are_added(home: Path, write_profiles):
    path = write_profiles("# mine\n")
    assert invoke(["profile", "populate-defaults", "--prompt"], input="y\nn\n").exit_code == 1
    assert path.read_text() == (home / "profiles.toml.bak").read_text() == "# mine\n"
    assert invoke(["profile", "populate-defaults", "--prompt"], input="n\ny\n").exit_code == 0
    assert "cloud" in read_toml(path)["profiles"]


# -- use ---------------------------------------------------------------------------------------------------------------


class Api(BaseHTTPRequestHandler):
    answer = 200

    def do_GET(self) -> None:
        body = json.dumps("👋").encode()
        self.send_response(self.answer)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    pytest.importorskip("prefect.client.orchestration")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api"
    server.shutdown()
    thread.join()
    server.server_close()


def test_using_a_profile_makes_it_active(home: Path):
    result = invoke(["profile", "use", "ephemeral"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "ephemeral" in result.stdout
    assert read_toml(home / "profiles.toml")["active"] == "ephemeral"
    assert json.loads(invoke(["profile", "ls", "-o", "json"]).stdout) == [{"name": "ephemeral", "active": True}]


def test_a_profile_without_an_api_is_used_but_fails(home: Path):
    result = invoke(["profile", "use", "cloud"])
    assert (result.exit_code, "PREFECT_API_URL" in result.stdout) == (1, True)
    assert read_toml(home / "profiles.toml")["active"] == "cloud"


def test_using_a_profile_tells_whether_its_api_answers(api: str, write_profiles, monkeypatch: pytest.MonkeyPatch):
    path = write_profiles(f'[profiles.mine]\nPREFECT_API_URL = "{api}"\n')
    result = invoke(["profile", "use", "mine"])
    assert (result.exit_code, result.stdout) == (0, f"Connected to Prefect server at {api} using profile 'mine'.\n")
    monkeypatch.setattr(Api, "answer", 401)
    refused = invoke(["profile", "use", "mine"])
    assert (refused.exit_code, "Error authenticating" in refused.stdout) == (1, True)
    path.write_text('[profiles.gone]\nPREFECT_API_URL = "http://127.0.0.1:9/api"\n')
    gone = invoke(["profile", "use", "gone"])
    assert (gone.exit_code, "Error connecting to Prefect server at http://127.0.0.1:9/api" in gone.stdout) == (1, True)
    assert read_toml(path)["active"] == "gone"


def test_a_variable_that_chooses_another_profile_is_pointed_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PREFECT_PROFILE", "local")
    assert "PREFECT_PROFILE still chooses 'local'" in invoke(["profile", "use", "ephemeral"]).stdout
