"""Isolated databases and assertions for tests of flows and tasks."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect._engine.recorded_flow_run import forget_flow_ids
from prefect._recorder import flush_recorders
from prefect._recorder._recorder import forget_recorder
from prefect.settings import temporary_settings
from prefect.settings.context import refresh_settings

if TYPE_CHECKING:
    from prefect.blocks.core import Block
    from prefect.client.schemas.objects import FlowRun, State

_harness_is_active = False


@contextmanager
def prefect_test_harness(server_startup_timeout: int | None = 30) -> Generator[None, None, None]:
    """Give the code in this block, in every thread of the process, a database of its own that is empty at the start.

    Usable as a session fixture. Logs and events are stored before the block ends; nothing has to be started.

    Args:
        server_startup_timeout: Not used: there is no server to wait for.

    Raises:
        RuntimeError: Harnesses were nested.
    """
    global _harness_is_active
    if _harness_is_active:
        raise RuntimeError(
            "prefect_test_harness is active already, and harnesses cannot be nested. Use one around all tests."
        )
    with (
        tempfile.TemporaryDirectory(prefix="prefect-test-", ignore_cleanup_errors=True) as folder,
        ExitStack() as scope,
    ):
        url = f"sqlite:///{Path(folder) / 'test.db'}"
        replaced = {
            "PREFECT_API_URL": "",
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": url,
            "PREFECT_SERVER_EPHEMERAL_ENABLED": "true",
            "PREFECT_RESULTS_LOCAL_STORAGE_PATH": str(Path(folder) / "storage"),
        }
        flush_recorders()
        scope.enter_context(_environment(replaced))
        # Where a block with settings of its own is open already, the environment alone would not reach.
        scope.enter_context(
            temporary_settings(
                {
                    "server.database.connection_url": url,
                    "server.ephemeral.enabled": True,
                    "results.local_storage_path": Path(folder) / "storage",
                },
                restore_defaults=["api.url"],
            )
        )
        forget_flow_ids()
        _harness_is_active = True
        try:
            yield
        finally:
            _harness_is_active = False
            _take_away(url)


@contextmanager
def _environment(variables: dict[str, str]) -> Generator[None, None, None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    refresh_settings()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        refresh_settings()


def _take_away(url: str) -> None:
    from prefect.server.database.store import forget_store  # noqa: PLC0415 - the harness is the one place that ends a database

    forget_recorder(url)
    forget_store(url)
    forget_flow_ids()


def exceptions_equal(a: Exception | None, b: Exception | None) -> bool:
    """Whether two exceptions are of the same type with the same arguments."""
    if a is None or b is None:
        return a is b
    return type(a) is type(b) and getattr(a, "args", None) == getattr(b, "args", None)


@contextmanager
def assert_does_not_warn(ignore_warnings: Iterable[type[Warning]] | None = None) -> Generator[None, None, None]:
    """Turn every warning in this block into an error, except those of some classes."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for category in ignore_warnings or ():
            warnings.filterwarnings("ignore", category=category)
        try:
            yield
        except Warning as warning:
            raise AssertionError(f"A warning was raised: {warning!r}") from warning


def assert_blocks_equal(found: Block, expected: Block, exclude_private: bool = True, **kwargs: Any) -> None:
    """Check that two blocks have the same class and fields."""
    assert type(found) is type(expected), f"{type(found)} is not {type(expected)}"
    if exclude_private:
        kwargs["exclude"] = {
            *kwargs.get("exclude", ()),
            *(name for name in type(found).model_fields if name.startswith("_")),
        }
    assert found.model_dump(**kwargs) == expected.model_dump(**kwargs)


async def assert_uses_result_serializer(state: State, serializer: Any, client: Any) -> None:
    """Check that the result of a state was stored with a serializer, given as an object or by its type."""
    wanted = serializer if isinstance(serializer, str) else serializer.type
    found = getattr(state.data, "metadata", state.data).serializer.type
    assert found == wanted, f"The result was stored with {found!r}, not {wanted!r}"


async def assert_uses_result_storage(state: State, storage: Any, client: Any) -> None:
    """Check that the result of a state is in a storage, given as a saved block or by its reference."""
    found = getattr(state.data, "metadata", state.data).storage_block_id
    if isinstance(storage, str):
        type_slug, _, name = storage.partition("/")
        wanted = (await client.read_block_document_by_name(name, type_slug)).id
    else:
        wanted = storage._block_document_id
    assert found == wanted, f"The result is in the storage block {found}, not {wanted}"


async def get_most_recent_flow_run(client: Any = None, flow_name: str | None = None) -> FlowRun:
    """The flow run that was created last, of one flow or of any."""
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - loads the whole client
    from prefect.client.schemas.filters import FlowFilter, FlowFilterName  # noqa: PLC0415
    from prefect.client.schemas.sorting import FlowRunSort  # noqa: PLC0415

    wanted = FlowFilter(name=FlowFilterName(any_=[flow_name])) if flow_name else None
    async with client or get_client() as active:
        runs = await active.read_flow_runs(flow_filter=wanted, sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=1)
    assert runs, "There is no flow run."
    return runs[0]


def a_test_step(**kwargs: Any) -> dict[str, Any]:
    """A deployment step for tests; gives its inputs and known outputs."""
    return {**kwargs, "output1": 1, "output2": ["b", 2, 3], "output3": "This one is actually a string"}


def b_test_step(**kwargs: Any) -> dict[str, Any]:
    """Another deployment step for tests."""
    return {**kwargs, "output1": 1, "output2": ["b", 2, 3]}


def kubernetes_environments_equal(
    actual: list[dict[str, str]], expected: list[dict[str, str]] | dict[str, str]
) -> bool:
    """Whether two environments of a container say the same, in whatever order; shows both if not.

    Args:
        actual: As Kubernetes has it: a list of name and value.
        expected: The same, or a dictionary.
    """
    if isinstance(expected, dict):
        expected = [{"name": name, "value": value} for name, value in expected.items()]

    def by_name(items: list[dict[str, str]]) -> list[dict[str, str]]:
        return sorted(items, key=lambda item: item["name"])

    if by_name(actual) == by_name(expected):
        return True
    print(f"Actual Kubernetes environment:   {by_name(actual)}\nExpected Kubernetes environment: {by_name(expected)}")
    return False
