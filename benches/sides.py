"""The two implementations that are measured, each in a virtual environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
UPSTREAM = [
    "prefect==3.8.8", "fastapi==0.141.1", "starlette==1.3.1", "pydantic==2.13.4", "sqlalchemy==2.0.45", "uvicorn==0.52.0",
]  # fmt: skip


class Side:
    """One implementation in its virtual environment."""

    def __init__(self, name: str, venv: Path, requirements: list[str]) -> None:
        self.name, self.venv, self.requirements = name, venv, requirements

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    def install(self) -> None:
        if (self.venv / ".ready").exists():
            return
        uv = shutil.which("uv")
        if uv:
            subprocess.run([uv, "venv", "--quiet", "--clear", str(self.venv)], check=True)
            command = [uv, "pip", "install", "--quiet", "--python", str(self.python)]
        else:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(self.venv)], check=True)
            command = [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, *self.requirements], check=True)
        (self.venv / ".ready").touch()

    @property
    def command(self) -> Path:
        """The command `prefect`."""
        return self.venv / "bin" / "prefect"

    def environment(self, home: Path, settings: Mapping[str, str] | None = None) -> dict[str, str]:
        """The variables for a process of this side: none of ours but `settings`."""
        # Both sides may keep compiled modules, as an installed package does.
        dropped = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_") and k not in dropped}
        return kept | {"PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"} | dict(settings or {})

    def run(
        self,
        home: Path,
        *arguments: str,
        quiet: bool = True,
        command: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> tuple[float, str]:
        """Run a process to its end; gives the seconds it took and what it printed.

        Raises:
            RuntimeError: It failed.
        """
        environment = self.environment(home, settings)
        if quiet:
            environment["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
        start = time.perf_counter()
        done = subprocess.run(
            [str(command or self.python), *arguments], env=environment, capture_output=True, text=True, timeout=900,
            cwd=HERE / "cases", check=False,
        )  # fmt: skip
        seconds = time.perf_counter() - start
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}: {arguments} failed:\n{done.stderr[-2000:]}")
        return seconds, done.stdout

    def packages(self) -> int:
        count = "from importlib.metadata import distributions as d; print(len({x.name for x in d()} - {'pip', 'setuptools'}))"
        return int(self.run(Path(tempfile.mkdtemp()), "-c", count)[1])
