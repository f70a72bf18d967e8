"""What the package offers to tests of flows and of integration packages (SDK section 29)."""

from __future__ import annotations

import logging
import socket

import pytest
from pydantic import Field

from prefect import flow, task
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.events import emit_event
from prefect.events.clients import AssertingEventsClient
from prefect.filesystems import LocalFileSystem
from prefect.flow_runs import wait_for_flow_run
from prefect.serializers import JSONSerializer
from prefect.settings import get_current_settings, temporary_settings
from prefect.testing.docker import capture_builders
from prefect.testing.fixtures import is_port_in_use
from prefect.testing.standard_test_suites import BlockStandardTestSuite
from prefect.testing.utilities import (
    assert_blocks_equal,
    assert_does_not_warn,
    assert_uses_result_serializer,
    assert_uses_result_storage,
    exceptions_equal,
    get_most_recent_flow_run,
    kubernetes_environments_equal,
    prefect_test_harness,
)
from prefect.utilities.dockerutils import ImageBuilder


def test_a_harness_gives_a_database_of_its_own():
    @flow
    def one():
        return 1

    def count() -> int:
        with get_client(sync_client=True) as client:
            return len(client.read_flow_runs())

    outside = get_current_settings().server.database.connection_url.get_secret_value()
    with prefect_test_harness():
        assert count() == 0
        one()
        assert count() == 1
        assert get_current_settings().server.database.connection_url.get_secret_value() != outside
        with pytest.raises(RuntimeError, match="cannot be nested"), prefect_test_harness():
            pass
    assert get_current_settings().server.database.connection_url.get_secret_value() == outside
    with prefect_test_harness():
        assert count() == 0


def test_a_harness_reaches_other_threads():
    from concurrent.futures import ThreadPoolExecutor

    @flow
    def elsewhere():
        return 1

    with prefect_test_harness():
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(elsewhere).result() == 1
        with get_client(sync_client=True) as client:
            assert [run.state_name for run in client.read_flow_runs()] == ["Completed"]


async def test_results_are_asserted_on_the_state_at_hand_and_on_that_of_the_api(home, tmp_path):
    block = LocalFileSystem(basepath=str(tmp_path / "there"))
    await block.save("there", overwrite=True)

    @flow(persist_result=True, result_storage=block, result_serializer="json")
    async def stores():
        return 1

    state = await stores(return_state=True)
    async with get_client() as client:
        stored = (await client.read_flow_run(state.state_details.flow_run_id)).state
        for seen in (state, stored):
            await assert_uses_result_serializer(seen, "json", client)
            await assert_uses_result_serializer(seen, JSONSerializer(), client)
            await assert_uses_result_storage(seen, block, client)
            await assert_uses_result_storage(seen, "local-file-system/there", client)
            with pytest.raises(AssertionError, match="pickle"):
                await assert_uses_result_serializer(seen, "pickle", client)
        assert (await get_most_recent_flow_run(client)).id == state.state_details.flow_run_id
    assert (await get_most_recent_flow_run(flow_name="stores")).id == state.state_details.flow_run_id
    assert (await wait_for_flow_run(state.state_details.flow_run_id)).state.is_completed()


def test_small_comparisons():
    assert exceptions_equal(ValueError("a"), ValueError("a"))
    assert not exceptions_equal(ValueError("a"), ValueError("b"))
    assert not exceptions_equal(ValueError("a"), TypeError("a"))
    environment = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    assert kubernetes_environments_equal(environment, {"B": "2", "A": "1"})
    assert not kubernetes_environments_equal(environment, environment[:1])
    with pytest.raises(AssertionError, match="raised"), assert_does_not_warn():
        import warnings

        warnings.warn("careful", UserWarning, stacklevel=1)
    first, second = LocalFileSystem(basepath="/a"), LocalFileSystem(basepath="/a")
    assert_blocks_equal(first, second)
    with pytest.raises(AssertionError):
        assert_blocks_equal(first, LocalFileSystem(basepath="/b"))


def test_events_are_kept_for_a_test(asserting_events_worker):
    emit_event("ice-cream.eaten", resource={"prefect.resource.id": "ice-cream.1"})
    assert [event.event for event in AssertingEventsClient.last.events] == ["ice-cream.eaten"]


def test_events_of_the_test_before_are_gone(asserting_events_worker):
    assert AssertingEventsClient.last is None


def test_the_core_of_this_process_may_be_chosen():
    with temporary_settings({"api.url": "http://127.0.0.1:9/api"}):
        assert get_current_settings().api.url


def test_the_ephemeral_server_is_chosen_over_the_settings(enable_ephemeral_server):
    assert get_current_settings().api.url is None


def test_ports_are_probed():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert not is_port_in_use(port)
        listener.listen()
        assert is_port_in_use(port)


def test_image_builders_are_captured(tmp_path):
    with capture_builders() as builders:
        first = ImageBuilder("busybox")
        assert builders == [first]
    ImageBuilder("busybox")
    assert builders == [first]


def test_flows_are_tested_without_the_engine_and_seen_by_caplog(home, caplog):
    from prefect.logging import disable_run_logger, get_run_logger

    @task
    def says():
        get_run_logger().info("said in a task")
        return 3

    @flow
    def calls():
        return says()

    with disable_run_logger():
        assert says.fn() == 3
    with caplog.at_level(logging.INFO):
        calls()
    assert "said in a task" in caplog.text


class Documented(Block):
    """A block that does what every block should.

    Example:
        Load one:

        ```python
        from somewhere import Documented

        Documented.load("name")
        ```
    """

    _logo_url = "https://example.test/logo.png"
    _documentation_url = "https://example.test/docs"
    size: int = Field(default=1, description="How big it is.")


class TestDocumented(BlockStandardTestSuite):
    @pytest.fixture
    def block(self):
        return Documented


class Bare(Block):
    _logo_url = "no url"
    _code_example = "```python\nthis is not python\n```"
    size: int = 1


@pytest.mark.parametrize(
    "name",
    [
        "has_a_description",
        "has_a_documentation_url",
        "all_fields_have_a_description",
        "has_a_valid_code_example",
        "has_a_valid_image",
    ],
)
def test_the_suite_finds_what_a_block_lacks(name):
    with pytest.raises(AssertionError, match="Bare"):
        getattr(BlockStandardTestSuite, f"test_{name}")(None, Bare)
