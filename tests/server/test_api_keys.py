"""API keys: how they are made, listed and revoked, and what is kept of them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest
from tests.server.conftest import Api

from prefect.server.database.store import Store
from prefect.server.models.audit import record_audit_entries
from prefect.server.routes import Caller
from prefect.server.schemas.access import ApiKeyCreated, AuditEntry


def make(api: Api, name: str, role: str = "admin", **fields: object) -> ApiKeyCreated:
    return api("POST", "/api_keys/", {"name": name, "role": role, **fields}).body


def names(api: Api, **body: object) -> list[str]:
    return [key.name for key in api("POST", "/api_keys/filter", body).body]


def test_a_key_is_told_once_and_stored_as_its_hash(api: Api, store: Store):
    first, second = make(api, "a"), make(api, "b", "viewer")
    assert first.key != second.key and first.key.startswith("pfs_") and len(first.key) >= 47
    listed = api("POST", "/api_keys/filter").body
    assert [(key.name, key.role, key.sees_secrets) for key in listed] == [("a", "admin", True), ("b", "viewer", False)]
    rows = store.read(lambda tx: [dict(row) for row in tx.fetch_all("SELECT * FROM api_key")])
    assert len({row["key_hash"] for row in rows}) == 2
    assert not any(key[4:] in f"{rows} {listed}" for key in (first.key, second.key))


def test_a_name_is_free_again_when_its_key_is_revoked(api: Api):
    make(api, "a")
    refusal = api.refused("POST", "/api_keys/", {"name": "a", "role": "viewer"})
    assert refusal.status == 409 and "'a'" in str(refusal.detail)
    assert api("DELETE", "/api_keys/name/{name}", name="a").status == 204
    assert api.refused("DELETE", "/api_keys/name/{name}", name="a").status == 404
    assert names(api) == []
    make(api, "a")
    assert (names(api), names(api, include_revoked=True)) == (["a"], ["a", "a"])


def test_there_is_an_admin_s_key_before_there_are_others(api: Api):
    refusal = api.refused("POST", "/api_keys/", {"name": "a", "role": "operator"})
    assert refusal.status == 409 and "admin" in str(refusal.detail)
    make(api, "root")
    make(api, "a", "operator")
    api("DELETE", "/api_keys/name/{name}", name="root")
    assert api.refused("POST", "/api_keys/", {"name": "b", "role": "viewer"}).status == 409
    assert names(api) == ["a"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "", "role": "admin"},
        {"name": "a/b", "role": "admin"},
        {"name": "a\0", "role": "admin"},
        {"name": "a" * 101, "role": "admin"},
        {"name": "a", "role": "king"},
        {"name": "a", "role": "viewer", "sees_secrets": True},
        {"name": "a", "role": "admin", "expires_at": "2020-01-01T00:00:00Z"},
        {"name": "a", "role": "admin", "expires_at": "soon"},
        {"name": "a", "role": "admin", "key": "mine"},
    ],
)
def test_what_makes_no_key_is_refused(api: Api, body: dict[str, object]):
    assert api.refused("POST", "/api_keys/", body).status == 422
    assert names(api, include_revoked=True) == []


def test_secrets_are_only_for_callers_who_may_see_them(api: Api):
    block_type = api("POST", "/block_types/", {"name": "Box", "slug": "box"}).body
    fields = {"type": "object", "properties": {"word": {"type": "string"}}, "secret_fields": ["word"]}
    schema = api("POST", "/block_schemas/", {"fields": fields, "block_type_id": block_type.id}).body
    body = {"name": "mine", "data": {"word": "hunter2"}, "block_schema_id": schema.id, "block_type_id": block_type.id}
    document = api("POST", "/block_documents/", body).body
    blind = Caller(sees_secrets=False)
    asked = [
        (("GET", "/block_documents/{id}"), {"id": document.id}),
        (("GET", "/block_types/slug/{slug}/block_documents"), {"slug": "box"}),
        (
            ("GET", "/block_types/slug/{slug}/block_documents/name/{block_document_name}"),
            {"slug": "box", "block_document_name": "mine"},
        ),
    ]
    for route, path in asked:
        refusal = api.refused(*route, query={"include_secrets": "true"}, caller=blind, **path)
        assert refusal.status == 403 and "secrets" in str(refusal.detail)
        assert "hunter2" not in str(api(*route, caller=blind, **path).body)
        assert "hunter2" in str(api(*route, query={"include_secrets": "true"}, **path).body)
    assert api.refused("POST", "/block_documents/filter", {"include_secrets": True}, caller=blind).status == 403
    assert "hunter2" in str(api("POST", "/block_documents/filter", {"include_secrets": True}).body)


def test_a_schema_without_secrets_does_not_uncover_them(api: Api):
    block_type = api("POST", "/block_types/", {"name": "Box", "slug": "box"}).body

    def schema(title: str, secret_fields: list[str]) -> object:
        fields = {"type": "object", "title": title, "properties": {}, "secret_fields": secret_fields}
        return api("POST", "/block_schemas/", {"fields": fields, "block_type_id": block_type.id}).body.id

    kept, open_to_all, stricter = schema("kept", ["word"]), schema("open", []), schema("stricter", ["other", "word"])
    body = {"name": "mine", "data": {"word": "hunter2"}, "block_schema_id": kept, "block_type_id": block_type.id}
    id = api("POST", "/block_documents/", body).body.id
    blind = Caller(sees_secrets=False)

    def moved(target: object, refuse: bool) -> None:
        for data in ({}, {"data": {"word": "********"}}, {"data": {"word": "********"}, "merge_existing_data": False}):
            args = ("PATCH", "/block_documents/{id}", {"block_schema_id": target, **data})
            if refuse:
                refusal = api.refused(*args, id=id, caller=blind)
                assert refusal.status == 403 and "word" in str(refusal.detail)
            else:
                api(*args, id=id, caller=blind)
            assert "hunter2" not in str(api("GET", "/block_documents/{id}", id=id, caller=blind).body)

    moved(open_to_all, refuse=True)
    moved(stricter, refuse=False)
    api("PATCH", "/block_documents/{id}", {"block_schema_id": kept, "data": {"word": "new"}}, id=id)
    api("PATCH", "/block_documents/{id}", {"data": {"word": "newer"}}, id=id, caller=blind)
    shown = api("GET", "/block_documents/{id}", id=id, query={"include_secrets": True}).body
    assert shown.data == {"word": "newer"}


def entry(occurred: datetime, actor: str | None = "me", **fields: object) -> AuditEntry:
    plain = {"api_key_id": None, "method": "POST", "route": "/flows/", "path": "/flows/", "status": 201}
    return AuditEntry.model_validate(
        {"id": uuid4(), "occurred": occurred, "actor": actor, "client": "::1", **plain, **fields}
    )


def test_the_trail_is_read_newest_first_and_by_who_and_when(api: Api, store: Store):
    start = datetime(2026, 1, 31, tzinfo=timezone.utc)
    entries = [entry(start + timedelta(hours=number), actor) for number, actor in enumerate(["me", "you", None, "me"])]
    # What is stored twice after a failure stands there once.
    for _ in range(2):
        store.write(lambda tx: record_audit_entries(tx, entries))

    def found(**body: object) -> list[int]:
        ids = [each.id for each in entries]
        return [ids.index(each.id) for each in api("POST", "/audit/filter", body).body]

    assert found() == [3, 2, 1, 0]
    assert found(actor="me") == [3, 0]
    assert found(since="2026-01-31T01:00:00Z", until="2026-01-31T03:00:00Z") == [2, 1]
    assert found(limit=1, offset=1) == [2]
    assert api.refused("POST", "/audit/filter", {"since": "2026-01-31T01:00:00"}).status == 422
    assert api("POST", "/audit/filter").body[0] == entries[3]
