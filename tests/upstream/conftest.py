"""The sessions, which run side by side, each once, with either package on any API.

Needs upstream's package: PREFECT_TEST_UPSTREAM_PYTHON names its interpreter (`scripts/upstream.sh` makes one).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.postgres import new_database
from tests.upstream.servers import environment, running_server

SCRIPTS = Path(__file__).parent
ENDS_WITHIN_SECONDS = 600


@pytest.fixture(scope="session")
def upstream_python() -> str:
    interpreter = os.environ.get("PREFECT_TEST_UPSTREAM_PYTHON")
    assert interpreter, (
        "Set PREFECT_TEST_UPSTREAM_PYTHON to an interpreter with upstream's package: scripts/upstream.sh"
    )
    return interpreter


@pytest.fixture(scope="session")
def sessions(
    request: pytest.FixtureRequest, upstream_python: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sessions]:
    """Those that the selected tests need; they have begun."""
    with ExitStack() as cleanup:
        sessions = Sessions({"ours": sys.executable, "upstream": upstream_python}, tmp_path_factory, cleanup)
        wanted = [
            item.callspec.params
            for item in request.session.items
            if isinstance(item, pytest.Function) and hasattr(item, "callspec") and "api" in item.callspec.params
        ]
        for each in wanted:
            sessions.begin(each["script"], "upstream", "upstream")
        for each in wanted:
            sessions.begin(each["script"], each["package"], each["api"])
        cleanup.callback(sessions.forget)
        yield sessions


class Sessions:
    """Runs sessions: one at a time on each API, on several APIs at once."""

    def __init__(self, pythons: dict[str, str], folders: pytest.TempPathFactory, cleanup: ExitStack) -> None:
        self._pythons = pythons
        self._folders = folders
        self._cleanup = cleanup
        self._threads: dict[str, ThreadPoolExecutor] = {}
        self._addresses: dict[str, str | None] = {}
        self._begun: dict[tuple[str, str, str], Future[dict[str, Any]]] = {}

    def begin(self, script: str, package: str, api: str) -> Future[dict[str, Any]]:
        """Run a session as soon as those before it on its API have ended."""
        what = (script, package, api)
        if what not in self._begun:
            if api not in self._threads:
                self._threads[api] = ThreadPoolExecutor(1)
                self._cleanup.callback(self._threads[api].shutdown, cancel_futures=True)
            self._begun[what] = self._threads[api].submit(self._run, *what)
        return self._begun[what]

    def seen(self, script: str, package: str, api: str) -> dict[str, Any]:
        """What a session saw."""
        return self.begin(script, package, api).result()

    def forget(self) -> None:
        """Begin no more of what was asked for."""
        for each in self._begun.values():
            each.cancel()

    def _run(self, script: str, package: str, api: str) -> dict[str, Any]:
        if api not in self._addresses:
            self._addresses[api] = self._start(api)
        home = self._folders.mktemp(f"{script}-{package}-{api}")
        for file in SCRIPTS.glob("[!t_]*.py"):
            shutil.copy(file, home)  # flows are deployed from the folder of their session
        process = subprocess.Popen(
            [self._pythons[package], f"{script}.py"],
            env={**environment(home / "home", self._addresses[api]), "SESSION_MARK": uuid4().hex[:8]}, cwd=home,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        end = self._cleanup.callback(_end, process)
        try:
            out, err = process.communicate(timeout=ENDS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            end(process)
            out, err = process.communicate()
        found = [line for line in out.splitlines() if line.startswith("SUMMARY ")]
        assert found, f"{script} with {package} on {api} ended with {process.returncode}:\n{err[-4000:]}"
        return json.loads(found[-1].removeprefix("SUMMARY "))

    def _start(self, api: str) -> str | None:
        home = self._folders.mktemp(f"server-{api}")
        if api == "embedded":
            return None
        if api == "upstream":
            return self._cleanup.enter_context(running_server(self._pythons["upstream"], home))
        variables = {}
        if api == "postgresql":
            variables["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = self._cleanup.enter_context(new_database())
        return self._cleanup.enter_context(running_server(self._pythons["ours"], home, **variables))


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)  # so that it ends what it has started
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
