from types import SimpleNamespace
from uuid import uuid4

import pytest
from pydantic import ValidationError

from prefect import _current
from prefect.assets import Asset, AssetProperties, add_asset_metadata


def test_assets_are_known_by_their_keys():
    bare = Asset(key="s3://bucket/data.csv")
    described = Asset(key="s3://bucket/data.csv", properties=AssetProperties(name="Data", owners=["ann"]))
    assert hash(bare) == hash(described)
    assert bare != described
    assert bare == Asset(key="s3://bucket/data.csv")
    assert repr(bare) == "Asset(key='s3://bucket/data.csv')"


@pytest.mark.parametrize(
    "key", ["plain", "S3://upper", "s3:/one", "s3://a b", "s3://a#b", "s3://a?b", "s3://" + "x" * 508]
)
def test_a_key_is_a_uri_without_special_characters(key):
    with pytest.raises(ValidationError):
        Asset(key=key)


def test_assets_and_their_properties_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Asset(key="s3://a").key = "s3://b"
    with pytest.raises(ValidationError, match="frozen"):
        AssetProperties(name="n").name = "m"
    with pytest.raises(ValidationError, match="2500"):
        AssetProperties(description="x" * 2501)


@pytest.fixture
def materialising():
    """The context of a task that materialises one asset."""
    record = SimpleNamespace(id=uuid4(), flow_run_id=None)
    task = SimpleNamespace(name="make", assets=[Asset(key="s3://mine")])
    context = SimpleNamespace(record=record, task=task, _run=SimpleNamespace(asset_metadata=None))
    token = _current.task_run_context.set(context)
    yield context
    _current.task_run_context.reset(token)


def test_metadata_is_merged_for_the_current_materialisation(materialising):
    add_asset_metadata("s3://mine", {"rows": 1, "ok": False})
    Asset(key="s3://mine").add_metadata({"ok": True})
    assert materialising._run.asset_metadata == {"s3://mine": {"rows": 1, "ok": True}}


def test_metadata_of_other_assets_is_refused(materialising):
    with pytest.raises(ValueError, match="'s3://other' is none of"):
        add_asset_metadata(Asset(key="s3://other"), {"rows": 1})


def test_metadata_outside_of_a_task_is_refused():
    with pytest.raises(RuntimeError, match="no task is running"):
        Asset(key="s3://mine").add_metadata({"rows": 1})


def test_the_package_offers_its_names_lazily():
    import prefect.assets

    with pytest.raises(AttributeError, match="nothing_such"):
        prefect.assets.nothing_such  # noqa: B018
