"""How commands reach the API."""

import io
from contextlib import redirect_stdout

import pytest

from prefect.cli import root
from prefect.cli._api import connect, read_pages
from prefect.cli._runner import invoke
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import get_current_settings, temporary_settings


@pytest.mark.parametrize(
    ("limit", "requests"),
    [
        (None, [(200, 0), (200, 200), (200, 400)]),
        (450, [(200, 0), (200, 200), (50, 400)]),
        (400, [(200, 0), (200, 200)]),
        (3, [(3, 0)]),
        (0, []),
    ],
)
def test_lists_are_read_in_pages(limit: int | None, requests: list[tuple[int, int]]):
    asked = []

    def read(limit: int, offset: int) -> list[int]:
        asked.append((limit, offset))
        return list(range(500))[offset : offset + limit]

    assert list(read_pages(read, limit)) == list(range(500))[:limit]
    assert asked == requests


def test_without_an_api_a_command_says_how_to_get_one(client: SyncPrefectClient):
    with temporary_settings({"server.ephemeral.enabled": False}):
        result = invoke(["flow", "ls"])
    assert (result.exit_code, result.stderr) == (1, "")
    assert "prefect config set PREFECT_API_URL" in result.stdout


def test_a_person_does_not_wait_for_a_server_as_long_as_a_program():
    with temporary_settings({"api.url": "http://localhost:9/api", "client.max_retries": 5}):
        with connect():
            assert get_current_settings().client.max_retries == 1
        with connect(is_patient=True):
            assert get_current_settings().client.max_retries == 5
    with temporary_settings({"api.url": "http://localhost:9/api", "client.max_retries": 0}), connect():
        assert get_current_settings().client.max_retries == 0


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("arguments", [["variable", "ls"], ["variable", "inspect", "mine"], ["variable", "get", "日"]])
def test_any_text_can_be_printed_in_any_encoding(arguments: list[str], encoding: str, client: SyncPrefectClient):
    invoke(["variable", "set", "mine", "é→日本"])
    with redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding=encoding)) as stream:
        exit_code = root.run(arguments)
    assert exit_code == (1 if arguments[-1] == "日" else 0)
    stream.flush()
    printed = stream.buffer.getvalue()
    assert any(form in printed for form in (b"\\u65e5", "日".encode()))
