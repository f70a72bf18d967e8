"""Gives every test process a home of its own, so that no test touches the user's."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

_home = tempfile.TemporaryDirectory(prefix="prefect-tests-", ignore_cleanup_errors=True)
for name in [name for name in os.environ if name.startswith("PREFECT_") and not name.startswith("PREFECT_TEST_")]:
    del os.environ[name]
os.environ["PREFECT_HOME"] = _home.name
os.environ["PREFECT_LOGGING_LEVEL"] = "INFO"
os.environ.pop("COLUMNS", None)  # so that tables are as wide wherever the tests run

import pytest  # noqa: E402

if TYPE_CHECKING:
    from prefect.server.database.store import Store


@pytest.fixture
def home(tmp_path: Path):
    """An empty PREFECT_HOME for one test, in this process."""
    from prefect._engine.recorded_flow_run import forget_flow_ids
    from prefect._recorder._recorder import forget_recorder
    from prefect.server.database.store import forget_store
    from prefect.settings import get_current_settings
    from prefect.settings.context import refresh_settings

    before = os.environ["PREFECT_HOME"]
    os.environ["PREFECT_HOME"] = str(tmp_path / "home")
    refresh_settings()
    forget_flow_ids()
    yield tmp_path / "home"
    url = get_current_settings().server.database.connection_url.get_secret_value()
    forget_recorder(url)
    forget_store(url)
    os.environ["PREFECT_HOME"] = before
    refresh_settings()
    forget_flow_ids()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Store]:
    """A store on PostgreSQL, which the tests that use it leave empty."""
    from tests.postgres import new_database

    from prefect.server.database.store import forget_store, open_store

    with new_database() as url:
        yield open_store(url)
        forget_store(url)
