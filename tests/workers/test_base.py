"""Workers of a type that a user makes: how they take runs, start them, and tell how they ended."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.server.api.conftest import free_port
from tests.workers.conftest import Pool, id_of
from tests.workers.odd import Odd, Result, complete, make_worker, run_once, until

from prefect.settings import temporary_settings
from prefect.workers.base import BaseWorker

# -- types -------------------------------------------------------------------------------------------------------------


def test_a_type_is_known_by_its_name():
    assert BaseWorker.get_worker_class_from_type("odd") is Odd
    assert BaseWorker.get_worker_class_from_type("even") is None
    assert "odd" in BaseWorker.get_all_available_worker_types()
    assert Odd.get_description() == "Runs nothing."


def test_the_default_template_holds_every_field_and_the_schema_of_the_variables():
    template = Odd.get_default_base_job_template()

    assert template["job_configuration"]["image"] == "{{ image }}"
    assert template["variables"]["properties"]["image"] == {"default": "none", "title": "Image", "type": "string"}
    assert set(template["variables"]) == {"properties", "type"}


def test_a_type_without_variables_of_its_own_has_those_of_its_configuration():
    class Plain(Odd):
        type = "plain"
        job_configuration_variables = None

    assert "image" in Plain.get_default_base_job_template()["variables"]["properties"]


@pytest.mark.parametrize("name", ["a/b", "a%b"])
def test_names_that_no_path_could_hold_are_refused(name: str):
    with pytest.raises(ValueError, match=f"cannot contain '/' or '%', as '{name}' does"):
        Odd("pool", name=name)


def test_a_worker_without_a_name_gets_one_that_no_other_has():
    first, second = Odd("pool").name, Odd("pool").name
    assert first.startswith("Odd ") and first != second


def test_a_result_is_true_if_it_went_well():
    assert Result(identifier="a", status_code=0)
    assert not Result(identifier="a", status_code=3)


async def test_without_a_server_there_is_nothing_to_serve():
    with pytest.raises(ValueError, match="`PREFECT_API_URL` must be set to start a Worker"):
        async with Odd("pool"):
            pass


@pytest.mark.parametrize("name", ["client", "work_pool", "limiter"])
def test_what_only_a_worker_that_is_set_up_has_says_so(name: str):
    with pytest.raises(RuntimeError, match="not set up yet. Use it in `async with worker:`"):
        getattr(Odd("pool"), name)


# -- the work pool -----------------------------------------------------------------------------------------------------


async def test_a_worker_makes_its_pool_and_is_heard_of(pool: Pool):
    async with make_worker(pool, heartbeat_interval_seconds=17) as worker:
        made = pool.ask("GET", f"/work_pools/{pool.name}")
        assert (made["type"], made["status"]) == ("odd", "READY")
        assert made["base_job_template"] == Odd.get_default_base_job_template()
        assert worker.work_pool.id == UUID(made["id"])
        assert worker.get_status()["work_pool"]["name"] == pool.name
        (heard,) = pool.workers()
        assert (heard["name"], heard["status"], heard["heartbeat_interval_seconds"]) == ("the worker", "ONLINE", 17)


async def test_a_worker_may_bring_the_template_of_the_pool_that_it_makes(pool: Pool):
    template = {"job_configuration": {"image": "mine"}, "variables": {"properties": {}}}
    async with make_worker(pool, base_job_template=template):
        assert pool.ask("GET", f"/work_pools/{pool.name}")["base_job_template"] == template


async def test_an_empty_template_is_filled(pool: Pool):
    pool.create("odd")
    async with make_worker(pool):
        assert pool.ask("GET", f"/work_pools/{pool.name}")["base_job_template"] == Odd.get_default_base_job_template()


async def test_a_pool_that_is_not_there_and_may_not_be_made_is_waited_for(pool: Pool, caplog: pytest.LogCaptureFixture):
    async with make_worker(pool, create_pool_if_not_found=False) as worker:
        assert f"Work pool {pool.name!r} not found!" in caplog.text
        assert await worker.get_and_submit_flow_runs() == []
        pool.create("odd")
        run_id = pool.run()
        await worker.sync_with_backend()
        assert [id_of(run) for run in await worker.get_and_submit_flow_runs()] == [run_id]


async def test_one_look_at_a_pool_that_is_not_there_is_an_error(pool: Pool):
    with pytest.raises(
        RuntimeError, match=f"Work pool '{pool.name}' not found, and worker 'the worker' may not make it"
    ):
        await run_once(pool, create_pool_if_not_found=False)


async def test_a_pool_of_another_type_is_told_of(pool: Pool, caplog: pytest.LogCaptureFixture):
    pool.create("other")
    async with make_worker(pool):
        assert "Worker type mismatch" in caplog.text


async def test_a_queue_that_is_not_there_is_told_of_once_and_keeps_from_no_other(
    pool: Pool, caplog: pytest.LogCaptureFixture
):
    pool.create("odd")
    run_id = pool.run()
    async with make_worker(pool, work_queues=["default", "typo"]) as worker:
        begun = await worker.get_and_submit_flow_runs()
        await worker.get_and_submit_flow_runs()

    assert [id_of(run) for run in begun] == [run_id]
    assert len([record for record in caplog.records if "typo" in record.getMessage()]) == 1


# -- runs --------------------------------------------------------------------------------------------------------------


async def test_a_run_goes_through_its_states_and_tells_who_started_it(pool: Pool):
    pool.create("odd")
    run_id = pool.run(tags=["mine"])

    await run_once(pool)

    run = pool.read(run_id)
    assert pool.states(run_id) == ["Scheduled", "Pending", "Submitting", "Completed"]
    assert run["infrastructure_pid"] == "thing-1"
    work_pool = pool.ask("GET", f"/work_pools/{pool.name}")
    assert (
        run["labels"].items()
        >= {
            "prefect.worker.name": "the worker",
            "prefect.worker.type": "odd",
            "prefect.work-pool.name": pool.name,
            "prefect.work-pool.id": work_pool["id"],
        }.items()
    )
    await until(lambda: f"Worker 'the worker' submitting flow run {run_id!r}" in pool.logs(run_id), "its log")


async def test_the_events_of_a_run_follow_one_another(pool: Pool):
    pool.create("odd")
    run_id = pool.run(tags=["mine"])

    await run_once(pool, name="The Worker!")

    submitted, executed = await asyncio.to_thread(pool.events, run_id, 2)
    assert [submitted["event"], executed["event"]] == [
        "prefect.worker.submitted-flow-run",
        "prefect.worker.executed-flow-run",
    ]
    assert executed["follows"] == submitted["id"]
    assert submitted["resource"]["prefect.resource.id"] == "prefect.worker.odd.the-worker"
    assert submitted["resource"]["prefect.worker-type"] == "odd"
    related = {each["prefect.resource.role"]: each for each in executed["related"]}
    assert set(related) == {"deployment", "flow", "flow-run", "tag", "work-pool"}
    assert related["flow-run"]["prefect.infrastructure.identifier"] == "thing-1"
    assert related["flow-run"]["prefect.infrastructure.status-code"] == "0"


async def test_the_configuration_of_a_run_is_filled_from_its_deployment(pool: Pool):
    seen: list[Any] = []

    async def look(worker: Any, flow_run: Any, configuration: Any, task_status: Any) -> Result:
        seen.append(configuration)
        return await complete(worker, flow_run, configuration, task_status)

    pool.create("odd", base_job_template=Odd.get_default_base_job_template())
    pool.deploy(job_variables={"image": "mine", "env": {"A": "1"}})
    run_id = pool.run(job_variables={"env": {"B": "2"}})
    await run_once(pool, look)

    (configuration,) = seen
    assert configuration.image == "mine"
    assert (configuration.env["A"], configuration.env["B"]) == ("1", "2")
    assert configuration.env["PREFECT__FLOW_RUN_ID"] == run_id
    assert configuration.env["PREFECT_API_URL"] == pool.server.url


async def test_a_run_that_cannot_be_started_crashes_with_the_reason(pool: Pool):
    async def refuse(*_: Any) -> Result:
        raise ValueError("there is no image 'x'")

    pool.create("odd")
    run_id = pool.run()
    await run_once(pool, refuse)

    run = pool.read(run_id)
    assert run["state_type"] == "CRASHED"
    assert run["state"]["message"] == "Failed to submit flow run to infrastructure: ValueError: there is no image 'x'"


async def test_a_template_that_does_not_fit_crashes_the_run_too(pool: Pool):
    pool.create(
        "odd",
        base_job_template={"job_configuration": {"image": "{{ image }}"}, "variables": {"properties": {"image": {}}}},
    )
    pool.deploy(job_variables={"image": ["no", "text"]})
    run_id = pool.run()
    await run_once(pool)

    assert pool.read(run_id)["state"]["message"].startswith(
        "Failed to submit flow run to infrastructure: ValidationError"
    )


async def test_a_run_that_was_started_is_not_judged_by_what_goes_wrong_afterwards(pool: Pool):
    async def lose_sight(worker: Any, flow_run: Any, configuration: Any, task_status: Any) -> Result:
        task_status.started("thing-2")
        raise ConnectionError("the cluster is away")

    pool.create("odd")
    run_id = pool.run()
    await run_once(pool, lose_sight)

    assert pool.read(run_id)["state_name"] == "Submitting"
    assert pool.read(run_id)["infrastructure_pid"] == "thing-2"


async def test_infrastructure_that_fails_crashes_its_run(pool: Pool):
    async def fail(worker: Any, flow_run: Any, configuration: Any, task_status: Any) -> Result:
        task_status.started("thing-3")
        return Result(identifier="thing-3", status_code=137)

    pool.create("odd")
    run_id = pool.run()
    await run_once(pool, fail)

    assert pool.read(run_id)["state_type"] == "CRASHED"
    assert "137" in pool.read(run_id)["state"]["message"]


async def test_infrastructure_that_fails_after_the_run_has_ended_changes_nothing(pool: Pool):
    async def complete_and_fail(*args: Any) -> Result:
        await complete(*args)
        return Result(identifier="thing-4", status_code=1)

    pool.create("odd")
    run_id = pool.run()
    await run_once(pool, complete_and_fail)

    assert pool.read(run_id)["state_type"] == "COMPLETED"


async def test_a_run_whose_deployment_is_gone_is_cancelled(pool: Pool):
    pool.create("odd")
    run_id = pool.run()
    # One that has begun before is not deleted with its deployment.
    pool.propose(run_id, "RUNNING")
    pool.propose(run_id, "SCHEDULED", state={"name": "AwaitingRetry"})
    pool.ask("DELETE", f"/deployments/{pool.deployment_id}")

    await run_once(pool)

    assert pool.read(run_id)["state_type"] == "CANCELLED"
    assert "does not exist any more" in pool.read(run_id)["state"]["message"]


async def test_only_runs_of_the_named_queues_are_taken(pool: Pool):
    pool.create("odd")
    pool.ask("POST", f"/work_pools/{pool.name}/queues", {"name": "fast"})
    slow, fast = pool.run(), pool.run(work_queue_name="fast")

    await run_once(pool, work_queues=["fast"])

    assert (pool.read(slow)["state_type"], pool.read(fast)["state_type"]) == ("SCHEDULED", "COMPLETED")


async def test_runs_beyond_the_limit_are_left_to_others(pool: Pool):
    pool.create("odd")
    runs = [pool.run() for _ in range(3)]

    await run_once(pool, limit=2)

    assert sorted(pool.read(run)["state_type"] for run in runs) == ["COMPLETED", "COMPLETED", "SCHEDULED"]


async def test_a_run_far_in_the_future_is_left_alone_and_one_that_is_soon_due_is_taken(pool: Pool):
    from datetime import datetime, timedelta, timezone

    def due_in(seconds: float) -> dict[str, Any]:
        when = datetime.now(timezone.utc) + timedelta(seconds=seconds)
        return {"type": "SCHEDULED", "state_details": {"scheduled_time": when.isoformat()}}

    pool.create("odd")
    soon, late = pool.run(state=due_in(30)), pool.run(state=due_in(300))

    async with make_worker(pool, prefetch_seconds=60) as worker:
        begun = await worker.get_and_submit_flow_runs()

    assert [id_of(run) for run in begun] == [soon]
    assert pool.read(late)["state_type"] == "SCHEDULED"


async def test_two_workers_start_no_run_twice(pool: Pool):
    started: list[str] = []

    async def note(worker: Any, flow_run: Any, configuration: Any, task_status: Any) -> Result:
        started.append(id_of(flow_run))
        return await complete(worker, flow_run, configuration, task_status)

    pool.create("odd")
    runs = [pool.run() for _ in range(12)]
    await asyncio.gather(*(run_once(pool, note, name=f"worker {number}") for number in range(3)))

    assert sorted(started) == sorted(runs)
    assert {pool.read(run)["state_type"] for run in runs} == {"COMPLETED"}


# -- the end -----------------------------------------------------------------------------------------------------------


async def test_a_worker_that_is_told_to_stop_waits_for_the_runs_that_go(pool: Pool):
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def wait(worker: Any, flow_run: Any, configuration: Any, task_status: Any) -> Result:
        begun.set()
        await may_end.wait()
        return await complete(worker, flow_run, configuration, task_status)

    pool.create("odd")
    first = pool.run()
    worker = make_worker(pool, wait)
    said: list[str] = []
    serving = asyncio.create_task(worker.start(printer=said.append))
    await asyncio.wait_for(begun.wait(), 30)
    worker._stop()
    second = pool.run()
    may_end.set()
    await asyncio.wait_for(serving, 30)

    assert said == ["Worker 'the worker' started!", "Worker 'the worker' stopped!"]
    assert (pool.read(first)["state_type"], pool.read(second)["state_type"]) == ("COMPLETED", "SCHEDULED")


async def test_a_worker_says_at_health_whether_it_still_asks_for_runs(pool: Pool):
    port = free_port()
    with temporary_settings({"worker.webserver.port": port, "worker.webserver.host": "127.0.0.1"}):
        worker = make_worker(pool)
        serving = asyncio.create_task(worker.start(with_healthcheck=True, printer=lambda *_: None))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

            async def ask(path: str) -> int:
                try:
                    return (await client.get(path)).status_code
                except httpx.TransportError:
                    return 0

            while not await ask("/health"):
                assert not serving.done()
                await asyncio.sleep(0.02)
            assert await ask("/health") == 200
            assert await ask("/other") == 404
            worker._last_polled_time = worker._last_polled_time.replace(year=2001)
            assert await ask("/health") == 503
        worker._stop()
        await asyncio.wait_for(serving, 30)
        assert (await ask_once(port)) == 0


async def ask_once(port: int) -> int:
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"http://127.0.0.1:{port}/health")).status_code
        except httpx.TransportError:
            return 0
