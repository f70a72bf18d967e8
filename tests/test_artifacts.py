import json
import warnings
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from prefect import _current
from prefect.artifacts import (
    Artifact,
    ImageArtifact,
    LinkArtifact,
    MarkdownArtifact,
    ProgressArtifact,
    TableArtifact,
    acreate_markdown_artifact,
    create_image_artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

pytestmark = pytest.mark.filterwarnings("ignore:Artifact creation outside:FutureWarning")


@pytest.fixture(autouse=True)
def in_own_database(home):
    """No artifact of one test is seen by another."""


@pytest.fixture
def events(monkeypatch):
    """The events that were emitted: pairs of name and payload."""
    seen = []
    monkeypatch.setattr(
        "prefect.artifacts.emit_event", lambda name, resource, payload: seen.append((name, resource, payload))
    )
    return seen


def test_each_kind_is_stored_in_its_form():
    for create, argument, type_, data in (
        (create_link_artifact, "http://x", "markdown", "[http://x](http://x)"),
        (create_markdown_artifact, "# hi", "markdown", "# hi"),
        (create_image_artifact, "http://i.png", "image", "http://i.png"),
        (create_progress_artifact, 42.5, "progress", 42.5),
        (create_table_artifact, [{"a": 1}], "table", '[{"a": 1}]'),
    ):
        id = create(argument, key="k", description="what it is")
        stored = Artifact.get("k")
        assert isinstance(id, UUID) and stored.id == id
        assert (stored.type, stored.data, stored.description) == (type_, data, "what it is")


def test_a_link_may_have_a_text():
    create_link_artifact("http://x", link_text="the x", key="k")
    assert Artifact.get("k").data == "[the x](http://x)"


@pytest.mark.parametrize(
    ("table", "stored"),
    [
        ({"a": [1, float("nan")], "b": ["x", None]}, {"a": [1, None], "b": ["x", None]}),
        ([{"a": float("nan"), "b": {"c": float("nan")}}], [{"a": None, "b": {"c": None}}]),
        ([[1, 2], [3, float("nan")]], [[1, 2], [3, None]]),
        ([], []),
    ],
)
def test_tables_come_as_rows_or_columns_and_hold_null_for_nan(table, stored):
    assert json.loads(TableArtifact(table=table).format()) == stored


@pytest.mark.parametrize("table", ["text", [1, 2], {"a": 1}])
def test_what_is_no_table_is_refused(table):
    with pytest.raises(ValidationError):
        create_table_artifact(table)


def test_a_key_has_lower_case_letters_digits_and_dashes():
    with pytest.raises(ValidationError, match="key"):
        create_markdown_artifact("x", key="Not This")


def test_progress_is_kept_in_range_with_a_warning(caplog):
    assert ProgressArtifact(progress=-1).format() == 0.0
    assert ProgressArtifact(progress=150).format() == 100.0
    assert ProgressArtifact(progress=50).format() == 50.0
    assert caplog.text.count("A progress of") == 2


def test_progress_is_moved_in_place():
    id = create_progress_artifact(10, key="p", description="start")
    assert update_progress_artifact(id, 60) == id
    assert (Artifact.get("p").data, Artifact.get("p").description) == (60, "start")
    update_progress_artifact(id, 70, description="")
    assert Artifact.get("p").description == "start"
    update_progress_artifact(id, 700, description="end")
    assert (Artifact.get("p").data, Artifact.get("p").description) == (100, "end")


def test_the_same_key_again_makes_a_new_version():
    first = create_markdown_artifact("one", key="k")
    second = create_markdown_artifact("two", key="k")
    assert first != second
    assert Artifact.get("k").id == second
    assert Artifact.get("none") is None


def test_the_first_version_is_created_once():
    stored, created = MarkdownArtifact.get_or_create("k", markdown="# hi", description="d")
    assert created and stored.data == "# hi" and stored.description == "d"
    again, created = MarkdownArtifact.get_or_create("k", markdown="# other")
    assert not created and again.id == stored.id
    plain, created = Artifact.get_or_create("plain", data={"a": 1}, type="mine")
    assert created and (plain.type, plain.data) == ("mine", '{"a": 1}')


def test_artifacts_of_a_run_know_their_run():
    flow_context = SimpleNamespace(flow_run=SimpleNamespace(id=uuid4(), name="r", tags=[], flow_id=None, deployment_id=None,
        work_queue_id=None, work_queue_name=None, work_pool_name=None), flow=None)  # fmt: skip
    task_context = SimpleNamespace(
        record=SimpleNamespace(id=uuid4(), flow_run_id=flow_context.flow_run.id, name="t", tags=[]),
        task=SimpleNamespace(isasync=False),
    )
    tokens = [_current.flow_run_context.set(flow_context), _current.task_run_context.set(task_context)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            create_markdown_artifact("x", key="k")
        stored = Artifact.get("k")
    finally:
        _current.flow_run_context.reset(tokens[0])
        _current.task_run_context.reset(tokens[1])
    assert (stored.flow_run_id, stored.task_run_id) == (flow_context.flow_run.id, task_context.record.id)


def test_outside_of_runs_a_warning_points_at_the_callers_line():
    for create in (lambda: create_markdown_artifact("x"), MarkdownArtifact(markdown="x").create):
        with pytest.warns(FutureWarning, match="outside of a flow or task run") as caught:
            create()
        assert caught[0].filename == __file__


def test_events_tell_of_artifacts(events):
    id = create_progress_artifact(1, key="k", description="d")
    update_progress_artifact(id, 2)
    resource = {"prefect.resource.id": f"prefect.artifact.{id}"}
    assert events == [
        (
            "prefect.artifact.created",
            {**resource, "prefect.resource.name": "k"},
            {"key": "k", "type": "progress", "description": "d"},
        ),
        ("prefect.artifact.updated", resource, {"data": 2.0}),
    ]


async def test_in_async_code_the_same_functions_are_awaited():
    id = await create_markdown_artifact("x", key="k")
    assert (await Artifact.get("k")).id == id
    assert await acreate_markdown_artifact("y", key="k") != id
    assert await LinkArtifact(link="l").format() == "[l](l)"
    assert await ImageArtifact(image_url="u").aformat() == "u"
    assert (await MarkdownArtifact(markdown="z", key="z").create()).data == "z"
    assert (await Artifact.get_or_create("z"))[1] is False
    progress = await create_progress_artifact(1)
    assert await update_progress_artifact(progress, 2) == progress


def test_a_subclass_may_say_how_it_is_stored():
    class Shouting(Artifact):
        text: str
        type: str | None = "markdown"

        def format(self):
            return self.text.upper()

    Shouting(text="hey", key="k").create()
    assert Artifact.get("k").data == "HEY"


def test_a_given_client_is_used():
    class Client:
        def __init__(self):
            self.created = []

        def create_artifact(self, artifact):
            self.created.append(artifact)
            return SimpleNamespace(id=uuid4())

        def read_artifacts(self, **options):
            return []

    client = Client()
    create_link_artifact("http://x", client=client)
    Artifact.get_or_create("k", data=1, client=client)
    assert [artifact.data for artifact in client.created] == ["[http://x](http://x)", "1"]
