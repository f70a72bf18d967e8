"""CSRF tokens: asked for once, renewed when they end, and done without where the API wants none."""

from __future__ import annotations

import pytest
from tests.client.http_api import API, Answer, Request

from prefect import get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import temporary_settings


class Guarded:
    """An API that wants tokens."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.expiration = "2099-01-01T00:00:00Z"

    def __call__(self, request: Request) -> Answer:
        if "/csrf-token?client=" in request.path:
            self.tokens.append(f"token-{len(self.tokens)}")
            return Answer(200, {"token": self.tokens[-1], "client": "x", "expiration": self.expiration})
        if request.method == "GET":
            return Answer(200, "hello")
        if request.headers.get("Prefect-Csrf-Token") != self.tokens[-1]:
            return Answer(403, {"detail": "Invalid CSRF token or client identifier."})
        return Answer(200, [])


@pytest.fixture
def guard():
    return Guarded()


@pytest.fixture
def api(guard):
    with API(guard) as api, temporary_settings({"api.url": api.url}):
        yield api


def test_a_token_is_asked_for_once_and_only_for_changes(api, guard):
    with get_client(sync_client=True) as client:
        client.hello()
        assert api.paths() == ["GET /hello"]
        client.read_flows()
        client.read_flows()
    assert len(guard.tokens) == 1
    assert api.requests[-1].headers["Prefect-Csrf-Client"] in api.requests[1].path


async def test_the_async_client_does_the_same(api, guard):
    async with get_client() as client:
        await client.read_flows()
        await client.read_flows()
    assert len(guard.tokens) == 1


def test_a_token_that_the_api_has_forgotten_is_replaced(api, guard):
    with get_client(sync_client=True) as client:
        client.read_flows()
        guard.tokens.append("another")
        client.read_flows()
    assert api.paths()[-3] == "POST /flows/filter" and "csrf-token" in api.paths()[-2]


def test_a_token_that_has_ended_is_replaced_before_it_is_used(api, guard):
    guard.expiration = "2001-01-01T00:00:00Z"
    with get_client(sync_client=True) as client:
        client.read_flows()
        client.read_flows()
    assert len(guard.tokens) == 2 and len(api.requests) == 4


def test_a_refusal_that_renewal_does_not_mend_is_raised(api):
    refused = Answer(403, {"detail": "Invalid CSRF token or client identifier."})
    granted = Answer(200, {"token": "t", "client": "x", "expiration": None})
    api.script.extend([granted, refused, granted, refused])
    with get_client(sync_client=True) as client, pytest.raises(PrefectHTTPStatusError, match="403"):
        client.read_flows()
    assert len(api.requests) == 4


@pytest.mark.parametrize("status", [404, 422])
def test_an_api_without_tokens_is_asked_once(api, status):
    api.otherwise = lambda request: Answer(status if "csrf" in request.path else 200, [])
    with get_client(sync_client=True) as client:
        client.read_flows()
        client.read_flows()
    assert [path.partition("?")[0] for path in api.paths()] == ["GET /csrf-token"] + ["POST /flows/filter"] * 2


def test_tokens_can_be_switched_off(api):
    api.otherwise = lambda request: Answer(200, [])
    with temporary_settings({"client.csrf_support_enabled": False}), get_client(sync_client=True) as client:
        client.read_flows()
    assert api.paths() == ["POST /flows/filter"]


def test_a_failure_to_get_a_token_is_raised_as_it_is(api):
    api.script.append(Answer(500, {"detail": "broken"}))
    with get_client(sync_client=True) as client, pytest.raises(PrefectHTTPStatusError, match="broken"):
        client.read_flows()
    assert len(api.requests) == 1
