"""The APIs that deployments are stored in, and a folder that is nobody's repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.client.core_api import CoreAPI
from tests.postgres import empty

from prefect import get_client
from prefect._engine.recorded_flow_run import forget_flow_ids
from prefect._recorder._recorder import forget_recorder
from prefect.client.orchestration import SyncPrefectClient
from prefect.server.database.store import forget_store
from prefect.settings import temporary_settings

CI_VARIABLES = ("GITHUB_", "GITLAB_", "CI_", "BITBUCKET_", "BUILD_", "TF_BUILD")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: empty, in no repository, on nobody's CI system."""
    import os

    for name in list(os.environ):
        if name.startswith(CI_VARIABLES):
            monkeypatch.delenv(name)
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(params=["embedded", "http", pytest.param("postgres", marks=pytest.mark.postgres)])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SyncPrefectClient]:
    """A client of the API that deployments of the test are stored in: each way in, and each database."""
    forget_flow_ids()
    if request.param == "embedded":
        request.getfixturevalue("home")
        with get_client(sync_client=True) as client:
            yield client
    elif request.param == "http":
        with CoreAPI(tmp_path / "server.db") as api:
            with temporary_settings({"api.url": api.url}), get_client(sync_client=True) as client:
                yield client
            forget_recorder(api.url)
        forget_store(api.database_url)
    else:
        store = request.getfixturevalue("postgres")
        url = store.url.conninfo
        with temporary_settings({"server.database.connection_url": url}):
            with get_client(sync_client=True) as client:
                yield client
            forget_recorder(url)
        empty(store)
    forget_flow_ids()
