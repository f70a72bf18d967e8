#!/usr/bin/env bash
# Makes an environment with upstream's package beside ours, once, and prints its Python.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=.venv-upstream
packages=(prefect==3.8.8 fastapi==0.141.1 starlette==1.3.1 pydantic==2.13.4 sqlalchemy==2.0.45 uvicorn==0.52.0)
if [ ! -e "$venv/.ready" ]; then
    if command -v uv >/dev/null; then
        uv venv --quiet --clear "$venv" >&2
        uv pip install --quiet --python "$venv/bin/python" "${packages[@]}" >&2
    else
        "${PYTHON:-python3}" -m venv --clear "$venv" >&2
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}" >&2
    fi
    touch "$venv/.ready"
fi
echo "$PWD/$venv/bin/python"
