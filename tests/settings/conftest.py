"""Every test here starts in an empty folder, with an empty home, and without settings from outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from prefect.settings import context


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
def write_profiles(home: Path):
    def write(text: str) -> Path:
        home.mkdir(parents=True, exist_ok=True)
        path = home / "profiles.toml"
        path.write_text(text)
        return path

    return write
