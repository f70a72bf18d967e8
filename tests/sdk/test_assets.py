"""Assets: tasks that make them, and the events that tell of it (SDK section 21)."""

from __future__ import annotations

from uuid import uuid4

import pytest

from prefect import flow, task
from prefect._recorder import get_recorder
from prefect.assets import Asset, AssetProperties, add_asset_metadata, materialize
from prefect.cache_policies import INPUTS
from prefect.client.orchestration import get_client
from prefect.context import AssetContext, FlowRunContext, hydrated_context, serialize_context
from prefect.events.filters import EventFilter, EventNameFilter, EventResourceFilter
from prefect.states import Completed, Failed
from prefect.task_runners import ProcessPoolTaskRunner
from prefect.tasks import MaterializingTask, Task

_PREFIX = "prefect.asset."


def events_of(*keys: str) -> list:
    """The asset events of some assets, oldest first."""
    get_recorder().flush(10)
    wanted = EventFilter(event=EventNameFilter(prefix=[_PREFIX]), resource=EventResourceFilter(id=list(keys)))
    with get_client(sync_client=True) as client:
        page = client.read_events(wanted)
    return sorted(page.events, key=lambda event: event.occurred)


def told(*keys: str) -> list[tuple[str, str]]:
    return [(event.event.removeprefix(_PREFIX), event.resource.id) for event in events_of(*keys)]


def related(event, role: str) -> list[str]:
    return sorted(resource.id for resource in event.related if resource.role == role)


def test_a_materialising_task_is_a_task():
    @materialize("s3://bucket/a", by="dbt", retries=2, name="maker")
    def make(): ...

    assert isinstance(make, MaterializingTask)
    assert isinstance(make, Task)
    assert (make.name, make.retries, make.assets) == ("maker", 2, [Asset(key="s3://bucket/a")])
    other = make.with_options(assets=["s3://bucket/b"], asset_deps=["s3://bucket/c"], retries=0)
    assert (other.assets, other.asset_deps) == ([Asset(key="s3://bucket/b")], [Asset(key="s3://bucket/c")])
    assert make.assets == [Asset(key="s3://bucket/a")]
    with pytest.raises(TypeError, match="at least one asset"):
        materialize()
    with pytest.raises(TypeError, match="at least one asset"):
        materialize(lambda: None)


def test_success_and_failure_are_told(home):
    described = Asset(
        key="s3://bucket/good",
        properties=AssetProperties(name="Good", url="https://x.test", description="What is good", owners=["a", "b"]),
    )

    @materialize(described, by="dbt")
    def good(): ...

    @materialize("s3://bucket/bad")
    def bad():
        raise ValueError

    @flow
    def parent():
        good()
        bad(return_state=True)

    run_id = parent(return_state=True).state_details.flow_run_id
    assert told("s3://bucket/good", "s3://bucket/bad") == [
        ("materialization.succeeded", "s3://bucket/good"),
        ("materialization.failed", "s3://bucket/bad"),
    ]
    (event,) = events_of("s3://bucket/good")
    labels = event.resource.model_dump()
    assert labels["prefect.resource.name"] == "Good"
    assert labels["prefect.asset.url"] == "https://x.test"
    assert labels["prefect.asset.description"] == "What is good"
    assert "a" in labels["prefect.asset.owners"]
    assert related(event, "asset-materialized-by") == ["dbt"]
    assert related(event, "flow-run") == [f"prefect.flow-run.{run_id}"]
    assert len(related(event, "task-run")) == 1


def test_upstreams_are_found_through_arguments_and_waits_and_pass_through_plain_tasks(home):
    @materialize("s3://bucket/one")
    def one():
        return [1]

    @materialize("s3://bucket/two")
    def two():
        return [2]

    @task
    def change(x):
        return [*x, 0]

    @materialize("s3://bucket/three", asset_deps=["s3://outside/named"])
    def three(x): ...

    @materialize("s3://bucket/four")
    def four(x): ...

    @flow
    def parent():
        changed = change(one())
        waited = two.submit()
        made = three.submit(changed, wait_for=[waited])
        four(made)

    parent()
    (event,) = [event for event in events_of("s3://bucket/three") if event.event.endswith("succeeded")]
    assert related(event, "asset") == ["s3://bucket/one", "s3://bucket/two", "s3://outside/named"]
    assert told("s3://outside/named") == [("referenced", "s3://outside/named")]
    (last,) = events_of("s3://bucket/four")
    assert related(last, "asset") == ["s3://bucket/three"]


def test_plain_tasks_and_hits_and_retried_attempts_tell_nothing(home):
    attempts = []

    @task(asset_deps=["s3://bucket/quiet"])
    def plain(): ...

    @materialize("s3://bucket/cached", cache_policy=INPUTS)
    def cached(x): ...

    @materialize("s3://bucket/flaky", retries=1)
    def flaky():
        attempts.append(True)
        if len(attempts) == 1:
            raise ValueError

    @flow
    def parent():
        plain()
        cached(1)
        cached(1)
        flaky()

    parent()
    assert told("s3://bucket/quiet") == []
    assert told("s3://bucket/cached") == [("materialization.succeeded", "s3://bucket/cached")]
    assert told("s3://bucket/flaky") == [("materialization.succeeded", "s3://bucket/flaky")]


def test_a_returned_failed_state_is_a_failure(home):
    @materialize("s3://bucket/handmade")
    def make():
        return Failed()

    @flow
    def parent():
        make(return_state=True)

    parent()
    assert told("s3://bucket/handmade") == [("materialization.failed", "s3://bucket/handmade")]


def test_metadata_travel_with_the_event(home):
    asset = Asset(key="s3://bucket/counted")

    @materialize(asset)
    def make():
        asset.add_metadata({"rows": 1, "kept": True})
        add_asset_metadata("s3://bucket/counted", {"rows": 2})
        with pytest.raises(ValueError, match="s3://other"):
            add_asset_metadata("s3://other/one", {})

    @flow
    def parent():
        make()

    parent()
    (event,) = events_of(asset.key)
    assert event.payload == {"rows": 2, "kept": True}
    with pytest.raises(RuntimeError):
        asset.add_metadata({})


def test_without_a_flow_nothing_is_told(home):
    @materialize("s3://bucket/alone")
    def make():
        return 1

    assert make() == 1
    assert told("s3://bucket/alone") == []


def test_async_tasks_make_assets_too(home):
    import asyncio

    @materialize("s3://bucket/async")
    async def make(): ...

    @flow
    async def parent():
        await make()

    asyncio.run(parent())
    assert told("s3://bucket/async") == [("materialization.succeeded", "s3://bucket/async")]


# -- as integration packages see it -----------------------------------------------------------------------------------


def test_assets_are_known_across_processes(home):
    @materialize("s3://bucket/first")
    def first(): ...

    @task
    def passes_on(x): ...

    @materialize("s3://bucket/last")
    def last(x): ...

    @flow(task_runner=ProcessPoolTaskRunner(max_workers=1))
    def pipeline():
        last.submit(passes_on.submit(first.submit())).wait()

    pipeline()
    (event,) = (event for event in events_of("s3://bucket/last") if event.event.endswith("succeeded"))
    assert related(event, "asset") == ["s3://bucket/first"]


def test_a_task_run_has_an_asset_context(home):
    seen = []

    @materialize("s3://bucket/upstream")
    def upstream(): ...

    @materialize("s3://bucket/made", by="dbt", asset_deps=["s3://bucket/named"])
    def made(x):
        context = AssetContext.get()
        context.add_asset_metadata("s3://bucket/made", {"rows": 3})
        seen.append(context)
        with pytest.raises(ValueError, match="s3://bucket/other"):
            context.add_asset_metadata("s3://bucket/other", {})

    @flow
    def pipeline():
        made(upstream(return_state=True))

    assert AssetContext.get() is None
    pipeline()
    (context,) = seen
    keys = {name: {asset.key for asset in getattr(context, name)} for name in ("upstream_assets", "downstream_assets")}
    assert keys == {
        "upstream_assets": {"s3://bucket/upstream", "s3://bucket/named"}, "downstream_assets": {"s3://bucket/made"},
    }  # fmt: skip
    (event,) = (event for event in events_of("s3://bucket/made") if event.event.endswith("succeeded"))
    assert event.payload == {"rows": 3}


def test_an_asset_context_may_be_made_carried_and_told_by_hand(home):
    @materialize("s3://bucket/by-hand", by="tool")
    def by_hand(): ...

    @task
    def after(x): ...

    @flow
    def pipeline():
        run_id = uuid4()
        kept = serialize_context({"task": by_hand, "task_run_id": run_id, "task_inputs": {}})
        with hydrated_context(kept):
            context = AssetContext.get()
            context.add_asset_metadata("s3://bucket/by-hand", {"by": "hand"})
            context.emit_events(Completed(name="Cached"))
            context.emit_events(Completed())
        return FlowRunContext.get().task_run_assets, run_id

    known, run_id = pipeline()
    assert known == {run_id: {Asset(key="s3://bucket/by-hand")}}
    (event,) = events_of("s3://bucket/by-hand")
    assert (event.payload, related(event, "asset-materialized-by")) == ({"by": "hand"}, ["tool"])
    assert AssetContext.asset_as_resource(Asset(key="s3://b")) == {"prefect.resource.id": "s3://b"}
    assert AssetContext.asset_as_related(Asset(key="s3://b"))["prefect.resource.role"] == "asset"
    assert AssetContext.related_materialized_by("dbt")["prefect.resource.id"] == "dbt"
