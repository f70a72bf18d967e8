"""When a request is repeated, how long is waited, and which error is raised."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import httpx
import pytest
from tests.client.http_api import API, Answer
from tests.server.api.conftest import free_port

from prefect import get_client
from prefect.client._exchange import Session, exchange
from prefect.client.schemas.actions import VariableCreate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import temporary_settings

SOON = {"Retry-After": "0"}
REFUSED = {"detail": "no such luck"}


@pytest.fixture
def api():
    with API() as api, temporary_settings({"api.url": api.url, "client.csrf_support_enabled": False}):
        yield api


def read_flows_sync():
    with get_client(sync_client=True) as client:
        return client.read_flows()


def read_flows_async():
    async def read():
        async with get_client() as client:
            return await client.read_flows()

    return asyncio.run(read())


both_ways = pytest.mark.parametrize("read_flows", [read_flows_sync, read_flows_async])


@both_ways
@pytest.mark.parametrize("status", [408, 429, 502, 503])
def test_a_passing_failure_is_tried_again(api, read_flows, status):
    api.script.append(Answer(status, REFUSED, SOON))
    assert read_flows() == []
    assert api.paths() == ["POST /flows/filter"] * 2


@both_ways
@pytest.mark.parametrize("status", [400, 401, 403, 422, 425, 500, 504])
def test_other_failures_are_raised_at_once_with_what_the_api_said(api, read_flows, status):
    api.script.append(Answer(status, REFUSED, SOON))
    with pytest.raises(PrefectHTTPStatusError, match="no such luck") as caught:
        read_flows()
    assert caught.value.response.status_code == status
    assert len(api.requests) == 1


@both_ways
def test_a_broken_connection_is_tried_again(api, read_flows, monkeypatch):
    monkeypatch.setattr("prefect.client._exchange._FIRST_PAUSE_SECONDS", 0.01)
    api.script.append(Answer(hang_up=True))
    assert read_flows() == []
    assert len(api.requests) == 2


@both_ways
def test_the_number_of_repetitions_is_a_setting(api, read_flows):
    api.script.extend([Answer(503, REFUSED, SOON)] * 9)
    with temporary_settings({"client.max_retries": 2}), pytest.raises(PrefectHTTPStatusError, match="503"):
        read_flows()
    assert len(api.requests) == 3


@both_ways
def test_more_statuses_can_be_repeated(api, read_flows):
    api.script.append(Answer(418, REFUSED, SOON))
    with temporary_settings({"client.retry_extra_codes": "418"}):
        assert read_flows() == []
    assert len(api.requests) == 2


@both_ways
def test_an_address_that_is_none_is_named_with_what_was_expected(read_flows):
    with (
        temporary_settings({"api.url": "nowhere"}),
        pytest.raises(
            httpx.UnsupportedProtocol, match=r"API at nowhere: it is no address, .* like http://.*PREFECT_API_URL"
        ),
    ):
        read_flows()


@both_ways
def test_an_api_that_is_away_is_named_with_what_to_do(read_flows):
    with API() as api:
        url = api.url
    with (
        temporary_settings({"api.url": url, "client.max_retries": 0}),
        pytest.raises(
            httpx.ConnectError, match=rf"Cannot reach the API at {url}.*prefect server start.*PREFECT_API_URL"
        ),
    ):
        read_flows()


def test_which_object_is_missing_or_exists_already_is_said_by_the_error(api):
    api.script.extend([Answer(404, REFUSED), Answer(409, REFUSED), Answer(404, REFUSED), Answer(404, REFUSED)])
    with get_client(sync_client=True) as client:
        with pytest.raises(ObjectNotFound) as missing:
            client.read_flow_run(uuid4())
        with pytest.raises(ObjectAlreadyExists) as existing:
            client.create_variable(VariableCreate(name="x", value=1))
        with pytest.raises(PrefectHTTPStatusError, match="no such luck") as plain:
            client.read_flow(uuid4())
        assert client.read_variable_by_name("x") is None
    assert not isinstance(missing.value, PrefectHTTPStatusError)
    assert [str(error.value).count("no such luck") for error in (missing, existing, plain)] == [1, 1, 1]
    assert isinstance(plain.value, ObjectNotFound)


# -- pauses, without waiting for them ----------------------------------------------------------------------------------


def pauses_of(answers, **options):
    session = Session("http://api", **options)
    plan = exchange(session, httpx.Request("GET", "http://api/flows"))
    next(plan)
    pauses = []
    for answer in answers:
        try:
            wanted = plan.send(answer)
        except (StopIteration, httpx.TransportError):
            return pauses
        if isinstance(wanted, float):
            pauses.append(wanted)
            next(plan)
    return pauses


def response(status, **headers):
    return httpx.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_pauses_double_up_to_a_minute():
    pauses = pauses_of([response(503)] * 9, max_retries=8, jitter=0.0)
    assert pauses == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


def test_pauses_are_spread_by_the_jitter():
    drawn = {pauses_of([response(503)], jitter=0.5)[0] for _ in range(50)}
    assert len(drawn) > 10 and all(1.0 <= pause <= 3.0 for pause in drawn)


def test_the_api_says_how_long_to_wait():
    assert pauses_of([response(429, retry_after="7")], jitter=0.0) == [7.0]
    assert all(7.0 <= pauses_of([response(429, retry_after="7")], jitter=0.5)[0] <= 10.5 for _ in range(20))
    assert pauses_of([response(429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT")], jitter=0.0) == [0.0]
    assert pauses_of([response(429, retry_after="Wed, 21 Oct 2115 07:28:00 GMT")], jitter=0.0) == [60.0]
    assert pauses_of([response(429, retry_after="soon")], jitter=0.0) == [2.0]


def test_who_waits_for_an_api_that_is_away_is_told_so_once(caplog):
    url = f"http://127.0.0.1:{free_port()}/api"
    plan = exchange(Session(url, max_retries=3), httpx.Request("GET", f"{url}/flows"))
    wanted, told = next(plan), []
    with pytest.raises(httpx.ConnectError):
        while True:
            wanted = plan.send(httpx.ConnectError("refused") if isinstance(wanted, httpx.Request) else None)
            told.append(caplog.text.count(f"Cannot reach the API at {url}"))
    # The first failure may be of the moment.
    assert told == [0, 0, 1, 1, 1, 1]


def test_an_address_that_cannot_work_is_not_tried_again():
    assert pauses_of([httpx.UnsupportedProtocol("no")]) == []
