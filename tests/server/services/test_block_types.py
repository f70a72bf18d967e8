"""The service that registers the product's own block types."""

from __future__ import annotations

from datetime import datetime, timezone

from prefect.blocks.system import Secret
from prefect.server.services import block_types


def make_round(store):
    store.write(lambda tx: block_types.run_once(tx, datetime.now(timezone.utc)))


def test_the_products_own_types_are_there_and_protected(store, api):
    make_round(store)
    types = {each.slug: each for each in api("POST", "/block_types/filter", {}).body}
    assert {"secret", "local-file-system", "webhook", "slack-webhook"} <= types.keys()
    assert api.refused("DELETE", "/block_types/{id}", id=types["secret"].id).status == 403
    checksum = Secret._calculate_schema_checksum()
    assert api("GET", "/block_schemas/checksum/{checksum}", checksum=checksum).body.block_type_id == types["secret"].id
    assert len(api("POST", "/block_schemas/filter", {}).body) >= len(types)


def test_another_round_changes_nothing(store, api):
    make_round(store)
    before = api("POST", "/block_types/filter", {}).body
    make_round(store)
    assert api("POST", "/block_types/filter", {}).body == before
