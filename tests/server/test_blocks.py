"""Block types, schemas and documents, and the storage of results that the server offers by default."""

from __future__ import annotations

import threading
from uuid import uuid4

import orjson
import pytest

from prefect.client.schemas.actions import BlockSchemaCreate, BlockTypeCreate
from prefect.server.models._block_secrets import MASK
from prefect.server.models.block_schemas import schema_checksum
from prefect.server.models.block_types import install_protected_types

TYPES, SCHEMAS, DOCUMENTS = "/block_types", "/block_schemas", "/block_documents"


def make_type(api, slug="bucket", name="Bucket", **fields):
    return api("POST", f"{TYPES}/", {"slug": slug, "name": name, **fields}).body


def make_schema(api, block_type, *secret, version="1", capabilities=(), **fields):
    fields = {"type": "object", "secret_fields": list(secret), "block_type_slug": block_type.slug, **fields}
    body = {"fields": fields, "block_type_id": block_type.id, "version": version, "capabilities": capabilities}
    return api("POST", f"{SCHEMAS}/", body).body


@pytest.fixture
def schema(api):
    """A schema with secrets of every shape."""
    return make_schema(api, make_type(api), "token", "headers.*", "users.password", "child.token")


def make(api, schema, name="one", data=None, **fields):
    body = {"name": name, "data": data or {}, "block_schema_id": schema.id, "block_type_id": schema.block_type_id}
    return api("POST", f"{DOCUMENTS}/", body | fields).body


def read(api, document, *, secrets=False):
    return api("GET", f"{DOCUMENTS}/{{id}}", query={"include_secrets": secrets}, id=document.id).body


def clear(api, document):
    return read(api, document, secrets=True).data


def patch(api, document, data, **fields):
    return api("PATCH", f"{DOCUMENTS}/{{id}}", {"data": data, **fields}, id=document.id)


def ref(document):
    return {"$ref": {"block_document_id": str(document.id)}}


def names(api, **body):
    return [each.name for each in api("POST", f"{DOCUMENTS}/filter", body).body]


# -- types -----------------------------------------------------------------------------------------------------------


def test_a_block_type_is_registered_once_a_slug(api):
    block_type = make_type(api, logo_url="https://example.com/a.png")

    assert api("GET", f"{TYPES}/{{id}}", id=block_type.id).body == block_type
    assert api("GET", f"{TYPES}/slug/{{slug}}", slug="bucket").body == block_type
    assert str(block_type.logo_url) == "https://example.com/a.png"
    for body, status in [
        ({"slug": "bucket", "name": "Other"}, 409),
        ({"slug": "x", "name": "prefect things"}, 403),
        ({"slug": "Not A Slug", "name": "Other"}, 422),
    ]:
        assert api.refused("POST", f"{TYPES}/", body).status == status
    assert api.refused("GET", f"{TYPES}/slug/{{slug}}", slug="missing").status == 404


def test_what_is_shown_as_markup_is_escaped_once(api):
    block_type = make_type(api, description="<b>&</b>", code_example='a < "b"')
    assert (block_type.description, block_type.code_example) == ("&lt;b&gt;&amp;&lt;/b&gt;", 'a &lt; "b"')

    api("PATCH", f"{TYPES}/{{id}}", {"description": block_type.description, "logo_url": None}, id=block_type.id)

    assert api("GET", f"{TYPES}/{{id}}", id=block_type.id).body == block_type, "nothing has changed"


def test_a_block_type_is_changed_and_deleted(api, schema):
    document = make(api, schema)
    id = schema.block_type_id

    assert api("PATCH", f"{TYPES}/{{id}}", {"description": "new"}, id=id).status == 204
    assert api("GET", f"{TYPES}/{{id}}", id=id).body.description == "new"
    assert api.refused("PATCH", f"{TYPES}/{{id}}", {"name": "x"}, id=id).status == 422
    assert api("DELETE", f"{TYPES}/{{id}}", id=id).status == 204

    assert api.refused("DELETE", f"{TYPES}/{{id}}", id=id).status == 404
    assert api.refused("GET", f"{SCHEMAS}/{{id}}", id=schema.id).status == 404
    assert api.refused("GET", f"{DOCUMENTS}/{{id}}", id=document.id).status == 404


def test_protected_types_can_be_installed_again_but_not_deleted(api):
    def install(description):
        wanted = BlockTypeCreate(slug="own", name="Prefect Own", description=description)
        schema = BlockSchemaCreate(fields={"type": "object"}, capabilities=["read"])
        api.store.write(lambda tx: install_protected_types(tx, [(wanted, schema)]))
        return api("GET", f"{TYPES}/slug/{{slug}}", slug="own").body

    first, second = install("old"), install("new")

    assert (first.id, second.description, second.is_protected) == (second.id, "new", True)
    [schema] = api("POST", f"{SCHEMAS}/filter").body
    assert api.refused("DELETE", f"{TYPES}/{{id}}", id=first.id).status == 403
    assert api.refused("DELETE", f"{SCHEMAS}/{{id}}", id=schema.id).status == 403


def test_types_are_found_by_name_slug_and_what_they_can_do(api):
    make_schema(api, make_type(api, "b-one", "B one"), capabilities=["read", "write"])
    make_schema(api, make_type(api, "a-two", "A two"), capabilities=["read"])

    def slugs(**body):
        return [each.slug for each in api("POST", f"{TYPES}/filter", body).body]

    assert slugs() == ["a-two", "b-one"]
    assert slugs(block_types={"name": {"like_": "ONE"}}) == ["b-one"]
    assert slugs(block_types={"slug": {"any_": ["a-two"]}}) == ["a-two"]
    assert slugs(block_schemas={"block_capabilities": {"all_": ["write", "read"]}}) == ["b-one"]
    assert api("GET", "/block_capabilities/").body == ["read", "write"]


# -- schemas ---------------------------------------------------------------------------------------------------------


def test_a_schema_is_registered_once_a_checksum_and_version(api):
    block_type = make_type(api)
    body = {"fields": {"b": 1, "a": {"z": 1, "y": 2}}, "block_type_id": block_type.id, "version": "1"}
    first, again = api("POST", f"{SCHEMAS}/", body), api("POST", f"{SCHEMAS}/", body)
    newer = api("POST", f"{SCHEMAS}/", body | {"version": "2"}).body

    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body and first.body.checksum == newer.checksum
    assert list(first.body.fields) == ["b", "a"], "the order of the fields is theirs"
    assert first.body.block_type == block_type
    by_checksum = f"{SCHEMAS}/checksum/{{checksum}}"
    checksum = newer.checksum
    assert api("GET", by_checksum, checksum=checksum).body == newer
    assert api("GET", by_checksum, query={"version": "1"}, checksum=checksum).body == first.body
    assert api.refused("GET", by_checksum, query={"version": "3"}, checksum=checksum).status == 404
    assert [each.version for each in api("POST", f"{SCHEMAS}/filter").body] == ["2", "1"]


def test_a_checksum_is_the_one_that_clients_compute():
    fields = {
        "title": "My",
        "type": "object",
        "properties": {"a": {"type": "string"}, "s": {"type": "string", "format": "password", "writeOnly": True}},
        "secret_fields": ["s", "n.*", "l.x", "deep.a.*.c"],
        "block_type_slug": "my-block",
        "block_schema_references": {},
    }
    checksum = "sha256:6c51ad8428c7365a071c49347a59217593b4215cfaf39d9cb65ca70d879f0331"
    nested = {"Nested": {"secret_fields": ["x"], "block_schema_references": {}}}

    assert schema_checksum(fields) == checksum
    assert schema_checksum(fields | {"definitions": nested}) == checksum
    assert schema_checksum(fields | {"definitions": {"Plain": {}}}) != checksum
    assert "secret_fields" in fields, "the fields themselves are left as they are"


@pytest.mark.parametrize(
    ("references", "status"),
    [
        ({"n": {"block_type_slug": "missing", "block_schema_checksum": "sha256:0"}}, 409),
        ({"n": {"block_type_slug": "bucket", "block_schema_checksum": "sha256:0"}}, 409),
        ({"n": [{"block_type_slug": "bucket", "block_schema_checksum": "sha256:0"}]}, 409),
        ({"n": "what"}, 422),
    ],
)
def test_a_schema_refers_to_registered_ones_only(api, references, status):
    block_type = make_type(api)
    body = {"fields": {"block_schema_references": references}, "block_type_id": block_type.id}

    assert api.refused("POST", f"{SCHEMAS}/", body).status == status


def test_a_schema_needs_its_type(api):
    assert api.refused("POST", f"{SCHEMAS}/", {"fields": {}, "block_type_id": uuid4()}).status == 404
    assert api.refused("POST", f"{SCHEMAS}/", {"fields": {}}).status == 422


# -- documents: secrets ----------------------------------------------------------------------------------------------

SECRETS = {
    "plain": "p",
    "token": "tok-3nt",
    "headers": {"auth": "hea-d3r", "n": 5, "deep": {"x": "y"}},
    "users": [{"name": "ann", "password": "pas-sw0rd"}, {"name": "bob", "password": None}],
    "none": None,
}
SHOWN = {
    "plain": "p",
    "token": MASK,
    "headers": {"auth": MASK, "n": MASK, "deep": MASK},
    "users": [{"name": "ann", "password": MASK}, {"name": "bob", "password": None}],
    "none": None,
}


def test_secrets_are_masked_unless_they_are_asked_for(api, schema):
    document = make(api, schema, data=SECRETS)
    slug = schema.block_type.slug

    assert document.data == SHOWN
    assert read(api, document) == document
    assert clear(api, document) == SECRETS
    by_name = f"{TYPES}/slug/{{slug}}/block_documents/name/{{block_document_name}}"
    assert api("GET", by_name, slug=slug, block_document_name="one").body.data == SHOWN
    assert (
        api("GET", by_name, query={"include_secrets": True}, slug=slug, block_document_name="one").body.data == SECRETS
    )
    assert api("GET", f"{TYPES}/slug/{{slug}}/block_documents", slug=slug).body[0].data == SHOWN
    assert api("POST", f"{DOCUMENTS}/filter", {"include_secrets": True}).body[0].data == SECRETS
    assert api("POST", f"{DOCUMENTS}/filter").body[0].data == SHOWN


def test_the_database_never_holds_a_secret_in_clear(api, schema, tmp_path):
    if api.store.dialect.name != "sqlite":
        pytest.skip("looks into the file of the database")
    document = make(api, schema, data=SECRETS)
    patch(api, document, {"token": "s3cond-token"})
    api("DELETE", f"{DOCUMENTS}/{{id}}", id=document.id)

    stored = b"".join(path.read_bytes() for path in tmp_path.glob("server.db*"))

    assert b"bucket" in stored
    for secret in (b"tok-3nt", b"s3cond-token", b"hea-d3r", b"pas-sw0rd"):
        assert secret not in stored


def test_a_secret_that_comes_back_masked_stays_what_it_is(api, schema):
    document = make(api, schema, data=SECRETS)

    assert patch(api, document, SHOWN).status == 204
    assert clear(api, document) == SECRETS
    patch(api, document, {"headers": {"auth": MASK, "n": 6}, "plain": "q"})
    assert clear(api, document) == SECRETS | {"headers": {"auth": "hea-d3r", "n": 6}, "plain": "q"}
    patch(api, document, {"token": MASK}, merge_existing_data=False)
    assert clear(api, document) == {"token": "tok-3nt"}


def test_masked_items_of_a_list_keep_their_secrets_when_others_come_and_go(api, schema):
    users = [{"name": "ann", "password": "a"}, {"name": "bob", "password": "b"}]
    document = make(api, schema, data={"users": users})

    patch(api, document, {"users": [{"name": "bob", "password": MASK}]})
    assert clear(api, document)["users"] == users[1:]
    patch(api, document, {"users": [{"name": "bob", "password": MASK}, {"name": "cy", "password": "c"}]})
    assert clear(api, document)["users"] == [users[1], {"name": "cy", "password": "c"}]


def test_events_tell_of_changes_without_secrets(api, schema):
    document = make(api, schema, data=SECRETS)
    patch(api, document, {"plain": "q"})
    api("DELETE", f"{DOCUMENTS}/{{id}}", id=document.id)

    query = "SELECT event, payload, resource_id FROM event WHERE event LIKE 'prefect.block-document.%' ORDER BY id"
    rows = api.store.read(lambda tx: tx.fetch_all(query))
    payloads = [orjson.loads(row["payload"]) for row in rows]

    assert [row["event"].rpartition(".")[2] for row in rows] == ["created", "updated", "deleted"]
    assert [payload["data"] for payload in payloads] == [{"plain": "p"}, {"plain": "q"}, {"plain": "q"}]
    assert payloads[0]["block_schema"]["block_type"]["name"] == "Bucket"
    assert {row["resource_id"] for row in rows} == {f"prefect.block-document.{document.id}"}


# -- documents: names and schemas ------------------------------------------------------------------------------------


def test_a_document_has_a_name_of_its_own(api, schema):
    make(api, schema)
    other = make_schema(api, make_type(api, "other", "Other"))
    body = {"data": {}, "block_schema_id": schema.id, "block_type_id": schema.block_type_id}

    assert make(api, other, "one").name == "one", "names are unique within a type"
    assert api.refused("POST", f"{DOCUMENTS}/", body | {"name": "one"}).status == 409
    assert api.refused("POST", f"{DOCUMENTS}/", body).status == 422
    assert api.refused("POST", f"{DOCUMENTS}/", body | {"name": "Not ok"}).status == 422
    assert api.refused("POST", f"{DOCUMENTS}/", body | {"name": "x", "block_schema_id": uuid4()}).status == 409
    assert api.refused("POST", f"{DOCUMENTS}/", body | {"name": "x", "block_schema_id": other.id}).status == 400


def test_anonymous_documents_show_only_on_demand(api, schema):
    hidden = make(api, schema, None, is_anonymous=True)
    make(api, schema, "seen")

    assert hidden.name.startswith("anonymous-")
    assert names(api) == ["seen"]
    assert names(api, block_documents={"id": {"any_": [hidden.id]}}) == []
    assert names(api, block_documents={"is_anonymous": None}) == [hidden.name, "seen"]
    assert names(api, block_documents={"is_anonymous": {"eq_": True}}) == [hidden.name]
    assert read(api, hidden) == hidden


def test_documents_are_found_sorted_and_counted(api, schema):
    other = make_schema(api, make_type(api, "another", "Another"), capabilities=["write"])
    make(api, schema, "b"), make(api, schema, "a"), make(api, other, "c")

    assert names(api) == ["a", "b", "c"]
    assert names(api, sort="NAME_DESC", limit=1) == ["c"]
    assert names(api, sort="BLOCK_TYPE_AND_NAME_ASC", offset=0) == ["c", "a", "b"]
    assert names(api, block_documents={"block_type_id": {"any_": [other.block_type_id]}}) == ["c"]
    assert names(api, block_types={"slug": {"any_": ["bucket"]}}) == ["a", "b"]
    assert names(api, block_schemas={"block_capabilities": {"all_": ["write"]}}) == ["c"]
    assert api("POST", f"{DOCUMENTS}/count", {"block_documents": {"name": {"like_": "B"}}}).body == 1
    missing = {"slug": "bucket", "block_document_name": "zz"}
    assert (
        api.refused("GET", f"{TYPES}/slug/{{slug}}/block_documents/name/{{block_document_name}}", **missing).status
        == 404
    )
    assert api.refused("GET", f"{TYPES}/slug/{{slug}}/block_documents", slug="zz").status == 404


def test_a_document_moves_between_schemas_of_its_type_only(api, schema):
    document = make(api, schema, data={"token": "t", "plain": "p"})
    newer = make_schema(api, schema.block_type, "plain", version="2")
    other = make_schema(api, make_type(api, "other", "Other"))

    assert patch(api, document, {"token": MASK, "plain": "p"}, block_schema_id=newer.id).status == 204

    assert read(api, document).block_schema_id == newer.id
    assert read(api, document).data == {"token": "t", "plain": MASK}
    for id in (other.id, uuid4()):
        refused = api.refused("PATCH", f"{DOCUMENTS}/{{id}}", {"block_schema_id": id}, id=document.id)
        assert refused.status == 400
    assert api.refused("PATCH", f"{DOCUMENTS}/{{id}}", {"data": {}}, id=uuid4()).status == 404


# -- documents: references -------------------------------------------------------------------------------------------


def test_a_reference_shows_the_document_behind_it(api, schema):
    child = make(api, schema, "child", {"token": "c", "open": 1})
    parent = make(api, schema, "parent", {"child": ref(child), "own": 2, "$defs": {"$ref": "#/definitions/x"}})

    assert parent.data == {"own": 2, "$defs": {"$ref": "#/definitions/x"}, "child": {"token": MASK, "open": 1}}
    assert clear(api, parent)["child"] == {"token": "c", "open": 1}
    reference = parent.block_document_references["child"]["block_document"]
    assert (reference["id"], reference["name"], reference["is_anonymous"]) == (str(child.id), "child", False)
    assert reference["block_type"]["slug"] == "bucket"
    patch(api, child, {"token": "new", "open": 3})
    assert clear(api, parent)["child"] == {"token": "new", "open": 3}


def test_a_child_is_masked_by_its_own_schema_wherever_it_stands(api, schema):
    holder = make_schema(api, make_type(api, "holder", "Holder"))
    child = make(api, schema, "child", {"token": "c"})

    assert make(api, holder, "parent", {"anything": ref(child)}).data == {"anything": {"token": MASK}}


def test_references_are_kept_until_their_key_gets_another_value(api, schema):
    child = make(api, schema, "child", {"token": "c", "open": 1})
    parent = make(api, schema, "parent", {"child": ref(child), "own": 1})

    def target():
        references = read(api, parent).block_document_references
        return references["child"]["block_document"]["id"] if references else None

    patch(api, parent, {"own": 2})
    assert target() == str(child.id)
    patch(api, parent, read(api, parent).data)
    assert target() == str(child.id), "what comes back as it was read changes nothing"
    patch(api, parent, clear(api, parent), merge_existing_data=False)
    assert target() == str(child.id)
    patch(api, parent, {"child": {"token": MASK, "open": 2}})
    assert target() is None and clear(api, parent)["child"] == {"token": "c", "open": 2}
    patch(api, parent, {"child": ref(child)})
    assert target() == str(child.id) and clear(api, parent)["child"]["open"] == 1
    patch(api, parent, {"own": 3}, merge_existing_data=False)
    assert target() is None and clear(api, parent) == {"own": 3}


def test_deleting_a_document_removes_the_references_to_it(api, schema):
    child = make(api, schema, "child")
    parent = make(api, schema, "parent", {"child": ref(child), "own": 1})

    assert api("DELETE", f"{DOCUMENTS}/{{id}}", id=child.id).status == 204

    assert read(api, parent).data == {"own": 1}
    assert api.refused("DELETE", f"{DOCUMENTS}/{{id}}", id=child.id).status == 404


@pytest.mark.parametrize("target", ["8a5050dd-03c6-461b-912c-764203d49115", "no-uuid", None, 5])
def test_a_broken_reference_is_refused_and_stores_nothing(api, schema, target):
    body = {"block_schema_id": schema.id, "block_type_id": schema.block_type_id, "name": "x"}
    body["data"] = {"a": {"$ref": {"block_document_id": target}}}

    assert api.refused("POST", f"{DOCUMENTS}/", body).status == 400
    assert names(api) == []


def test_documents_cannot_contain_themselves(api, schema):
    first = make(api, schema, "first")
    second = make(api, schema, "second", {"a": ref(first)})
    third = make(api, schema, "third", {"a": ref(second)})

    for target in (first, second, third):
        refused = api.refused("PATCH", f"{DOCUMENTS}/{{id}}", {"data": {"b": ref(target)}}, id=first.id)
        assert refused.status == 400
    assert read(api, first).data == {}


def test_documents_nest_fifty_deep_and_no_deeper(api, schema):
    chain = [make(api, schema, "d-0", {"level": 0})]
    for level in range(1, 51):
        chain.append(make(api, schema, f"d-{level}", {"level": level, "next": ref(chain[-1])}))

    body = {"name": "top", "block_schema_id": schema.id, "block_type_id": schema.block_type_id}
    assert api.refused("POST", f"{DOCUMENTS}/", body | {"data": {"next": ref(chain[-1])}}).status == 400
    bottom = make(api, schema, "bottom")
    assert api.refused("PATCH", f"{DOCUMENTS}/{{id}}", {"data": {"next": ref(bottom)}}, id=chain[0].id).status == 400

    data, depth = read(api, chain[-1]).data, 0
    while "next" in data:
        data, depth = data["next"], depth + 1
    assert (depth, data) == (50, {"level": 0})


def test_a_renamed_document_is_found_by_every_name_it_had(api, schema):
    document = make(api, schema, "old", {"own": 1})
    parent = make(api, schema, "parent", {"child": ref(document)})

    def named(name):
        by_name = f"{TYPES}/slug/{{slug}}/block_documents/name/{{block_document_name}}"
        return api("GET", by_name, slug="bucket", block_document_name=name).body.id

    rename = f"{DOCUMENTS}/{{id}}/rename"
    for name in ("newer", "newest"):
        assert api("POST", rename, {"name": name}, id=document.id).status == 204

    assert {named(name) for name in ("old", "newer", "newest")} == {document.id}
    assert read(api, parent).data == {"child": {"own": 1}}
    assert names(api) == ["newest", "parent"]
    successor = make(api, schema, "old")
    assert named("old") == successor.id and named("newer") == document.id
    assert api.refused("POST", rename, {"name": "parent"}, id=document.id).status == 409
    api("POST", rename, {"name": "newer"}, id=document.id)
    assert named("newer") == named("newest") == document.id


def test_two_updates_at_once_both_count(api, schema):
    document = make(api, schema)

    threads = [threading.Thread(target=patch, args=(api, document, {f"key{n}": n})) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert read(api, document).data == {f"key{n}": n for n in range(8)}


# -- default storage of results --------------------------------------------------------------------------------------


def test_results_can_go_to_a_storage_block_by_default(api, schema):
    storage = make_schema(api, make_type(api, "files", "Files"), capabilities=["write-path"])
    block, wrong = make(api, storage, "store"), make(api, schema, "wrong")

    def default():
        return api("GET", "/admin/storage").body.default_result_storage_block_id

    def put(id):
        return api("PUT", "/admin/storage", {"default_result_storage_block_id": id})

    assert default() is None
    assert put(block.id).status == 200
    assert default() == block.id
    refused = api.refused("PUT", "/admin/storage", {"default_result_storage_block_id": wrong.id})
    missing = api.refused("PUT", "/admin/storage", {"default_result_storage_block_id": uuid4()})
    assert (refused.status, missing.status, default()) == (422, 404, block.id)
    assert api("DELETE", "/admin/storage").status == 204
    assert default() is None
    put(block.id)
    api("DELETE", f"{DOCUMENTS}/{{id}}", id=block.id)
    assert default() is None


def test_default_storage_goes_with_the_type_of_its_block(api):
    storage = make_schema(api, make_type(api, "files", "Files"), capabilities=["write-path"])
    block = make(api, storage, "store")
    api("PUT", "/admin/storage", {"default_result_storage_block_id": block.id})

    api("DELETE", f"{TYPES}/{{id}}", id=storage.block_type_id)

    assert api("GET", "/admin/storage").body.default_result_storage_block_id is None


def test_the_server_tells_its_settings_without_secrets(api, monkeypatch):
    from prefect.settings.context import refresh_settings

    monkeypatch.setenv("PREFECT_SERVER_API_AUTH_STRING", "admin:s3cret")
    refresh_settings()
    try:
        settings = api("GET", "/admin/settings").body
    finally:
        monkeypatch.undo()
        refresh_settings()

    assert settings["server"]["api"]["auth_string"] and "s3cret" not in str(settings)
    assert api("GET", "/admin/version").body.startswith("3.")


def test_the_types_of_the_product_can_be_installed(api):
    for _ in range(2):
        api("POST", f"{TYPES}/install_system_block_types")

    slugs = {each.slug: each.is_protected for each in api("POST", f"{TYPES}/filter").body}
    assert {"secret", "webhook", "local-file-system", "slack-webhook", "ms-teams-webhook"} <= slugs.keys()
    assert "notification-block" not in slugs
    assert set(slugs.values()) == {True}
