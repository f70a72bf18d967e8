"""Every test here starts in an empty folder, with an empty home, and without settings from outside."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prefect.settings import context

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    import os

    for name in list(os.environ):
        if name.upper().startswith("PREFECT_") or name == "SSL_CERT_FILE":
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PREFECT_HOME", str(home))
    monkeypatch.setattr(context, "_process", None)
    yield home


@pytest.fixture
def client(home: Path) -> "Iterator[SyncPrefectClient]":
    """A client of the API that commands use in a test: an empty database in this process."""
    from prefect._engine.recorded_flow_run import forget_flow_ids
    from prefect._recorder._recorder import forget_recorder
    from prefect.client._send import embedded_database
    from prefect.client.orchestration import get_client
    from prefect.server.database.store import forget_store

    database = embedded_database(context.get_current_settings())
    with get_client(sync_client=True) as client:
        yield client
    forget_recorder(database)
    forget_store(database)
    forget_flow_ids()


@pytest.fixture
def write_profiles(home: Path):
    def write(text: str) -> Path:
        home.mkdir(parents=True, exist_ok=True)
        path = home / "profiles.toml"
        path.write_text(text)
        return path

    return write
