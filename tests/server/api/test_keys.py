"""API keys on a running server: what each opens, when it stops to, and that no secret is anywhere in clear."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.postgres import new_database
from tests.server.api.conftest import RunningServer, server

from prefect.server.database.store import Store, forget_store, open_store
from prefect.server.models.api_keys import create_api_key, hash_key, revoke_api_key
from prefect.server.routes import Route, all_routes
from prefect.server.schemas.access import ApiKeyCreate, Role

PASSWORD = "keeper:pass-word-9241"
SECRET = "hunter2-block-secret"
PATIENCE = 15


@dataclass(frozen=True)
class Guarded:
    """A server without services, with a key of each kind, and its database seen from another process."""

    running: RunningServer
    store: Store
    keys: dict[str, str]
    password: str | None = PASSWORD

    def ask(self, key: str | None, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {} if key is None else {"Authorization": f"Bearer {self.keys.get(key, key)}"}
        return httpx.request(method, self.running.url + path, headers=headers, timeout=30, **options)

    def make(self, name: str, **fields: Any) -> str:
        body = {"name": name, "role": "operator", **fields}
        return self.ask("admin", "POST", "/api_keys/", json=body).raise_for_status().json()["key"]

    def contents(self) -> dict[str, list[str]]:
        """Everything that is stored, apart from the trail and the last use of keys."""
        return {
            table: sorted(str({name: value for name, value in row.items() if name != "last_used_at"}) for row in rows)
            for table, rows in tables(self.store).items()
            if table != "audit_entry"
        }


def tables(store: Store) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables."""
    if store.dialect.name == "sqlite":
        names = "SELECT name AS name FROM sqlite_master WHERE type = 'table'"
    else:
        names = "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema()"
    return store.read(
        lambda tx: {
            row["name"]: [dict(each) for each in tx.fetch_all(f"SELECT * FROM {row['name']}")]
            for row in tx.fetch_all(names)
        }
    )


def until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "postgresql":
        with new_database() as url:
            yield url
    else:
        yield f"sqlite:///{tmp_path_factory.mktemp('keys') / 'server.db'}"


@pytest.fixture(scope="module")
def guarded(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    settings = {
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database,
        "PREFECT_SERVER_API_AUTH_STRING": PASSWORD,
        "PREFECT_SERVER_LOGGING_LEVEL": "DEBUG",
        "PREFECT_LOGGING_LEVEL": "DEBUG",
    }
    with server(tmp_path_factory.mktemp("guarded"), "--no-services", **settings) as running:
        made: dict[str, str] = {}
        with running.client(headers={"Authorization": basic(PASSWORD)}) as client:
            for name, fields in {
                "admin": {"role": "admin"},
                "operator": {"role": "operator"},
                "seer": {"role": "operator", "sees_secrets": True},
                "viewer": {"role": "viewer"},
                "revoked": {"role": "admin"},
            }.items():
                answer = client.post("/api_keys/", json={"name": name, **fields})
                made[name] = answer.raise_for_status().json()["key"]
            client.delete("/api_keys/name/revoked").raise_for_status()
        yield Guarded(running, open_store(database), made)
        forget_store(database)


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.fixture(scope="module")
def ids(guarded: Guarded) -> dict[str, str]:
    """Objects that requests can name, by the first segment of their path."""

    def made(path: str, **body: Any) -> str:
        return guarded.ask("operator", "POST", path, json=body).raise_for_status().json()["id"]

    flow = made("/flows/", name="flow")
    box = made("/block_types/", name="Box", slug="box")
    fields = {"type": "object", "properties": {"word": {"type": "string"}}, "secret_fields": ["word"]}
    schema = made("/block_schemas/", fields=fields, block_type_id=box)
    document = made("/block_documents/", name="mine", data={"word": SECRET}, block_schema_id=schema, block_type_id=box)
    return {
        "flows": flow,
        "flow_runs": made("/flow_runs/", flow_id=flow),
        "deployments": made("/deployments/", name="deployment", flow_id=flow),
        "block_types": box,
        "block_schemas": schema,
        "block_documents": document,
        "variables": made("/variables/", name="variable", value=1),
        "concurrency_limits": made("/concurrency_limits/", tag="tag", concurrency_limit=1),
        "v2": made("/v2/concurrency_limits/", name="limit", limit=1),
    }


def address(route: Route, ids: dict[str, str]) -> str:
    """The path of a route, naming a real object where there is one."""
    first = route.path.split("/")[1]
    path = route.path.replace("{id}", ids.get(first, str(uuid4()))).replace("{id_or_name}", "limit")
    path = re.sub(r"{\w+_id}", str(uuid4()), path)
    return path.replace("{slug}", "box").replace("{block_document_name}", "mine").replace("{", "").replace("}", "")


BODY = {"name": "other", "value": 2, "state": {"type": "RUNNING"}, "role": "admin", "limit": 5}


def test_nothing_opens_without_a_good_key_and_nothing_changes(guarded: Guarded, ids: dict[str, str]):
    before = guarded.contents()
    bad = [None, "Bearer pfs_wrong", f"Bearer {guarded.keys['revoked']}", basic("keeper:wrong")]
    let_in = []
    with guarded.running.client() as client:
        for route in all_routes():
            if route.path in ("/health", "/ready"):
                continue
            for header in bad:
                headers = {} if header is None else {"Authorization": header}
                body = None if route.method == "GET" else BODY
                answer = client.request(route.method, address(route, ids), json=body, headers=headers)
                if answer.status_code != 401 or answer.json() != {"exception_message": "Unauthorized"}:
                    let_in.append((route.method, route.path, header, answer.status_code))
    assert let_in == []
    assert guarded.contents() == before


@pytest.mark.parametrize(
    "header",
    [
        "Bearer {admin}x",
        "Bearer {ADMIN}",
        "Token {admin}",
        "{admin}",
        "Bearer",
        "Basic %%%",
        "Basic {admin}",
        "Bearer keeper:pass-word-9241",
        "Bearer {hash}",
    ],
)
def test_what_is_nearly_a_key_opens_nothing(guarded: Guarded, header: str):
    key = guarded.keys["admin"]
    text = header.format(admin=key, ADMIN=key.upper(), hash=hash_key(key))
    with guarded.running.client(headers={"Authorization": text}) as client:
        assert client.post("/flows/filter").status_code == 401


def test_a_weak_role_is_refused_and_changes_nothing(guarded: Guarded, ids: dict[str, str]):
    before = guarded.contents()
    let_in, refused = [], 0
    for role in ("viewer", "operator"):
        with guarded.running.client(headers={"Authorization": f"Bearer {guarded.keys[role]}"}) as client:
            for route in all_routes():
                if Role(role).includes(route.role):
                    continue
                refused += 1
                answer = client.request(route.method, address(route, ids), json=None if route.method == "GET" else BODY)
                if answer.status_code != 403 or f"needs the role {route.role.value}" not in answer.json()["detail"]:
                    let_in.append((role, route.method, route.path, answer.status_code))
    assert let_in == []
    assert refused > 80
    assert guarded.contents() == before
    # The same request, with the right, does change it.
    assert guarded.ask("operator", "PATCH", f"/variables/{ids['variables']}", json={"value": 2}).status_code == 204
    assert guarded.contents() != before


def test_each_role_may_use_what_is_for_it(guarded: Guarded):
    shut = []
    for role in ("viewer", "operator", "admin"):
        with guarded.running.client(headers={"Authorization": f"Bearer {guarded.keys[role]}"}) as client:
            for route in all_routes():
                if Role(role).includes(route.role) and "api_keys" not in route.path:
                    answer = client.request(route.method, address(route, {}).replace("box", "none"))
                    if answer.status_code == 401 or "has the role" in answer.text:
                        shut.append((role, route.method, route.path))
    assert shut == []


def test_secrets_are_for_those_who_may_see_them(guarded: Guarded, ids: dict[str, str]):
    path = f"/block_documents/{ids['block_documents']}"
    for key, status in {"viewer": 403, "operator": 403, "seer": 200, "admin": 200}.items():
        shown = guarded.ask(key, "GET", path, params={"include_secrets": "true"})
        assert (shown.status_code, SECRET in shown.text) == (status, status == 200), key
        masked = guarded.ask(key, "GET", path)
        assert (masked.status_code, SECRET in masked.text) == (200, False)


def test_clients_that_only_know_passwords_send_a_key_as_one(guarded: Guarded):
    key = guarded.keys["viewer"]
    for text in (key, f":{key}", f"anybody:{key}"):
        answer = httpx.post(guarded.running.url + "/flows/filter", headers={"Authorization": basic(text)})
        assert answer.status_code == 200, text
    address = guarded.running.url.removesuffix("/api") + "/ui-settings"
    assert httpx.get(address).json()["auth"] == "BASIC"


def test_a_revoked_key_opens_nothing_from_then_on(guarded: Guarded):
    key = guarded.make("leaver")
    assert guarded.ask(key, "POST", "/flows/filter").status_code == 200
    assert guarded.ask("admin", "DELETE", "/api_keys/name/leaver").status_code == 204
    assert guarded.ask(key, "POST", "/flows/filter").status_code == 401


@pytest.mark.slow
def test_other_processes_hear_of_changed_keys_within_seconds(guarded: Guarded):
    wanted = ApiKeyCreate(name="from elsewhere", role=Role.VIEWER)
    key = guarded.store.write(lambda tx: create_api_key(tx, wanted)).key
    until(lambda: guarded.ask(key, "GET", "/hello").status_code == 200, "the key is never known")
    guarded.store.write(lambda tx: revoke_api_key(tx, "from elsewhere"))
    until(lambda: guarded.ask(key, "GET", "/hello").status_code == 401, "the key is never forgotten")
    assert guarded.ask(key, "POST", "/flows/filter").status_code == 401


def test_a_key_ends_when_it_said_it_would(guarded: Guarded):
    soon = datetime.now(timezone.utc) + timedelta(seconds=1)
    key = guarded.make("short", expires_at=soon.isoformat())
    assert guarded.ask(key, "GET", "/hello").status_code == 200
    until(lambda: guarded.ask(key, "GET", "/hello").status_code == 401, "the key never ends")
    assert datetime.now(timezone.utc) >= soon


def test_who_did_what_can_be_read(guarded: Guarded, ids: dict[str, str]):
    name = f"walker-{uuid4()}"
    key = guarded.make(name)
    guarded.ask(key, "POST", "/flows/", json={"name": "trodden"})
    guarded.ask(key, "POST", "/flows/filter")
    guarded.ask(key, "GET", f"/block_documents/{ids['block_documents']}?include_secrets=true")
    guarded.ask(key, "GET", "/admin/settings")
    guarded.ask(key, "DELETE", f"/flows/{ids['flows']}x")

    def trail(**body: Any) -> list[dict[str, Any]]:
        return guarded.ask("admin", "POST", "/audit/filter", json=body).json()

    found = [(each["method"], each["route"], each["status"]) for each in reversed(trail(actor=name))]
    assert found == [
        ("POST", "/flows/", 201),
        ("GET", "/block_documents/{id}", 403),
        ("GET", "/admin/settings", 403),
    ]
    assert {each["client"] for each in trail(actor=name)} == {"127.0.0.1"}
    # What an admin did is there when it is answered.
    guarded.ask("admin", "DELETE", f"/api_keys/name/{name}")
    newest = trail(actor="admin")
    assert any((each["path"], each["status"]) == (f"/api_keys/name/{name}", 204) for each in newest)
    # Strangers may ask for anything; what stands behind the question mark is not kept.
    strange = f"/nowhere/{uuid4()}"
    assert guarded.ask(None, "GET", strange + "%00%ff?token=mine").status_code == 401
    guarded.ask("admin", "GET", "/admin/settings")
    assert [each["path"] for each in trail() if each["path"].startswith(strange)] == [strange + "\ufffd\ufffd"]


def test_the_last_use_of_a_key_is_known(guarded: Guarded):
    key = guarded.make("user")

    def last_used() -> Any:
        keys = guarded.ask("admin", "POST", "/api_keys/filter").json()
        return next(each["last_used_at"] for each in keys if each["name"] == "user")

    assert last_used() is None
    guarded.ask(key, "GET", "/hello")
    until(lambda: last_used() is not None, "the use is never stored")


def test_no_secret_is_in_clear_anywhere(guarded: Guarded, ids: dict[str, str], database: str):
    secrets = [SECRET, PASSWORD, base64.b64encode(PASSWORD.encode()).decode(), *guarded.keys.values()]
    seen = []
    with guarded.running.client(headers={"Authorization": f"Bearer {guarded.keys['admin']}"}) as client:
        for route in all_routes():
            if route.role is not Role.OPERATOR and not (route.role is Role.ADMIN and route.writes):
                seen.append(client.request(route.method, address(route, ids)).text)
        # A failing request that brings secrets is answered with what it brought, and noted without.
        client.post("/nowhere", json={"word": SECRET})
    everything = "".join(seen) + (guarded.running.home / "server.log").read_text() + str(tables(guarded.store))
    assert [secret for secret in secrets if secret in everything] == []
    if guarded.store.dialect.name == "sqlite":
        path = Path(database.removeprefix("sqlite:///"))
        raw = b"".join(each.read_bytes() for each in path.parent.glob(path.name + "*"))
        assert b"walker-" in raw or b"operator" in raw
        assert [secret for secret in secrets if secret.encode() in raw] == []


def test_the_first_key_closes_an_open_server_and_its_end_does_not_open_it(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'server.db'}"
    with server(tmp_path / "home", "--no-services", PREFECT_SERVER_DATABASE_CONNECTION_URL=url) as running:
        with running.client() as client:
            assert client.get("/admin/settings").status_code == 200
            assert client.post("/api_keys/", json={"name": "a", "role": "viewer"}).status_code == 409
            key = client.post("/api_keys/", json={"name": "root", "role": "admin"}).json()["key"]
            assert client.get("/hello").status_code == 401
            headers = {"Authorization": f"Bearer {key}"}
            assert client.post("/audit/filter", headers=headers).status_code == 200
            assert client.delete("/api_keys/name/root", headers=headers).status_code == 204
            assert [client.get("/hello", headers=each).status_code for each in (headers, {})] == [401, 401]
        assert json.dumps(key) not in (running.home / "server.log").read_text()


@pytest.mark.slow
def test_an_open_server_asks_once_another_process_has_made_a_key(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'server.db'}"
    with server(tmp_path / "home", "--no-services", PREFECT_SERVER_DATABASE_CONNECTION_URL=url) as running:
        with running.client() as client:
            assert client.post("/flows/filter").status_code == 200
            store = open_store(url)
            key = store.write(lambda tx: create_api_key(tx, ApiKeyCreate(name="root", role=Role.ADMIN))).key
            forget_store(url)
            until(lambda: client.post("/flows/filter").status_code == 401, "the server stays open")
            assert client.post("/flows/filter", headers={"Authorization": f"Bearer {key}"}).status_code == 200
