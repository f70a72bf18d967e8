"""The clients: one interface over HTTP and in process, who they say they are, and what they leave open."""

from __future__ import annotations

import asyncio
import base64
import gc
import os
import subprocess
import sys
import threading
import warnings
from contextvars import copy_context
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from tests.client.http_api import API, Answer

from prefect import get_client
from prefect.client.base import ServerType, app_lifespan_context
from prefect.client.orchestration import ArtifactClient, PrefectClient, SyncPrefectClient
from prefect.client.schemas.actions import ArtifactCreate, GlobalConcurrencyLimitCreate
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import temporary_settings

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def api():
    with API() as api, temporary_settings({"api.url": api.url, "client.csrf_support_enabled": False}):
        yield api


def header(api: API, name: str) -> str | None:
    return api.requests[-1].headers.get(name)


# -- who asks ----------------------------------------------------------------------------------------------------------


def test_requests_say_which_client_and_which_language(api):
    with get_client(sync_client=True) as client:
        client.read_flows()
    assert header(api, "User-Agent") == f"prefect/{client.client_version()} (API 0.8.4)"
    assert header(api, "X-PREFECT-API-VERSION") == "0.8.4"
    assert header(api, "Authorization") is None


def test_an_auth_string_is_sent_as_basic_authentication(api):
    with temporary_settings({"api.auth_string": "user:päss"}), get_client(sync_client=True) as client:
        client.read_flows()
    assert header(api, "Authorization") == "Basic " + base64.b64encode("user:päss".encode()).decode()


def test_an_api_key_has_precedence_over_an_auth_string(api):
    with temporary_settings({"api.auth_string": "user:pass", "api.key": "KEY"}), get_client(sync_client=True) as client:
        client.read_flows()
    assert header(api, "Authorization") == "Bearer KEY"


def test_a_client_can_be_given_its_own_address_and_key(api):
    with API() as other, SyncPrefectClient(other.url, api_key="MINE", api_version="0.8.3") as client:
        client.read_flows()
        assert client.api_url == httpx.URL(other.url + "/") and client.server_type is ServerType.SERVER
        assert header(other, "Authorization") == "Bearer MINE"
        assert header(other, "X-PREFECT-API-VERSION") == "0.8.3"
    assert api.requests == []


def test_custom_headers_are_sent_but_cannot_replace_the_clients_own(api):
    custom = {"X-Team": "data", "User-Agent": "forged", "Prefect-Csrf-Token": "forged"}
    with temporary_settings({"client.custom_headers": custom}), get_client(sync_client=True) as client:
        client.read_flows()
    assert header(api, "X-Team") == "data"
    assert str(header(api, "User-Agent")).startswith("prefect/") and header(api, "Prefect-Csrf-Token") is None


def test_options_of_the_http_client_can_be_given(api):
    with get_client({"headers": {"X-Mine": "yes"}, "timeout": 3}, sync_client=True) as client:
        client.read_flows()
        assert client._client.timeout == httpx.Timeout(3)
    assert header(api, "X-Mine") == "yes"


# -- one interface -----------------------------------------------------------------------------------------------------


async def test_the_embedded_core_answers_requests_of_ones_own(home):
    with get_client(sync_client=True) as client:
        id = client.create_flow_from_name("a flow (ä)")
        answer = client.request("POST", "/flows/filter", json={"limit": 5})
        named = client.request("GET", "/flows/{id}", path_params={"id": id})
        with pytest.raises(PrefectHTTPStatusError, match="422"):
            client.request("POST", "/flows/filter", json={"limit": "many"})
        with pytest.raises(PrefectHTTPStatusError, match="404"):
            client.request("GET", "/no/such/route")  # type: ignore[arg-type]
    assert [flow["id"] for flow in answer.json()] == [str(id)] == [named.json()["id"]]
    async with get_client() as client:
        answer = await client.request("GET", "/flows/name/{name}", path_params={"name": "a flow (ä)"})
    assert answer.json()["id"] == str(id)


def test_methods_that_give_responses_do_so_in_process_too(home):
    with get_client(sync_client=True) as client:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name="slots", limit=1))
        hello = client.hello()
        taken = client.increment_concurrency_slots(["slots"], 1, "concurrency")
        with pytest.raises(httpx.HTTPStatusError) as full:
            client.increment_concurrency_slots(["slots"], 1, "concurrency")
    assert (hello.status_code, hello.json()) == (200, "👋")
    assert [limit["name"] for limit in taken.json()] == ["slots"]
    assert full.value.response.status_code == 423 and "Retry-After" in full.value.response.headers


def test_methods_of_several_requests_work_in_both_clients(home):
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name("slots", 3)
        client.upsert_global_concurrency_limit_by_name("slots", 5)
        assert client.read_global_concurrency_limit_by_name("slots").limit == 5

    async def again():
        async with get_client() as client:
            await client.upsert_global_concurrency_limit_by_name("slots", 7)
            return await client.read_global_concurrency_limit_by_name("slots")

    assert asyncio.run(again()).limit == 7


def test_errors_are_the_same_in_process_and_over_http(home):
    with get_client(sync_client=True) as client:
        with pytest.raises(ObjectNotFound, match="not found"):
            client.read_flow_run(uuid4())
        with pytest.raises(PrefectHTTPStatusError, match="404") as caught:
            client.read_flow(uuid4())
    assert isinstance(caught.value, ObjectNotFound)
    assert "not found" in str(caught.value)


def test_a_mixin_works_over_an_http_client_of_ones_own(api):
    artifact = {"id": str(uuid4()), "created": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z", "key": "k"}
    api.script.append(Answer(201, artifact))
    with httpx.Client(base_url=api.url) as http:
        assert ArtifactClient(http).create_artifact(ArtifactCreate(key="k")).key == "k"
    assert api.paths() == ["POST /artifacts/"]


async def test_a_client_of_an_application_in_this_process():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": f'"{scope["path"]}"'.encode()})

    async with PrefectClient(app) as client:
        assert (await client.hello()).json() == "/api/hello"
        assert client.server_type is ServerType.EPHEMERAL


async def test_an_application_is_started_once_for_all_its_users():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])
        while True:
            message = await receive()
            seen.append(message["type"])
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async with app_lifespan_context(app), app_lifespan_context(app):
        assert seen == ["lifespan", "lifespan.startup"]
    assert seen[-1] == "lifespan.shutdown"


async def test_an_application_that_does_not_start_says_why():
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(RuntimeError, match="no database"):
        async with app_lifespan_context(app):
            raise AssertionError


# -- versions ----------------------------------------------------------------------------------------------------------


def test_a_server_of_another_major_version_is_refused(api):
    api.script.append(Answer(200, "2.20.1"))
    with get_client(sync_client=True) as client, pytest.raises(RuntimeError, match=r"client: 3.*server: 2\.20\.1"):
        client.raise_for_api_version_mismatch()
    assert api.paths() == ["GET /admin/version"]


def test_a_fitting_server_is_asked_once(api):
    api.otherwise = lambda request: Answer(200, "3.9.0")
    with get_client(sync_client=True) as client:
        client.raise_for_api_version_mismatch_once()
        client.raise_for_api_version_mismatch_once()
    assert len(api.requests) == 1


def test_the_check_of_versions_can_be_switched_off(api):
    with temporary_settings({"client.server_version_check_enabled": False}), get_client(sync_client=True) as client:
        client.raise_for_api_version_mismatch()
    assert api.requests == []


# -- connections -------------------------------------------------------------------------------------------------------


def test_threads_share_connections(api):
    def read():
        for _ in range(10):
            with get_client(sync_client=True) as client:
                client.read_flows()

    threads = [threading.Thread(target=copy_context().run, args=(read,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(api.requests) == 40
    assert len(api.connections) <= 4


def test_each_event_loop_has_connections_of_its_own_and_closes_them(api):
    async def read():
        for _ in range(5):
            async with get_client() as client:
                await client.read_flows()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            asyncio.run(read())
            gc.collect()
    assert len(api.connections) == 3


def test_a_process_leaves_no_socket_open(api):
    script = """
import asyncio
from prefect import get_client
from prefect.client.orchestration import PrefectClient, SyncPrefectClient
import os
url = os.environ["PREFECT_API_URL"]
with get_client(sync_client=True) as client:
    client.read_flows()
with SyncPrefectClient(url, api_key="x") as client:
    client.read_flows()
async def main():
    async with get_client() as client, PrefectClient(url, api_key="x") as other:
        await client.read_flows()
        await other.read_flows()
asyncio.run(main())
"""
    environment = {**os.environ, "PREFECT_API_URL": api.url, "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false"}
    run = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", "-c", script],
        env=environment, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "ResourceWarning" not in run.stderr and "Exception ignored" not in run.stderr
    assert len(api.requests) == 4


# -- generated code ----------------------------------------------------------------------------------------------------


def test_the_methods_are_those_of_the_call_functions():
    run = subprocess.run(
        [sys.executable, "scripts/generate_clients.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
