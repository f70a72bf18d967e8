"""Whether code is a project with packages of its own."""

from __future__ import annotations

import pytest

from prefect._loading.project import find_project


@pytest.mark.parametrize(
    ("dependencies", "is_one"),
    [
        (["prefect"], True),
        (["requests", "Prefect[aws] >= 3.0"], True),
        (["prefect-aws"], False),
        ([], False),
    ],
)
def test_a_project_declares_the_package(tmp_path, dependencies, is_one):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "x"\ndependencies = {dependencies}\n')
    assert find_project(inner) == (tmp_path if is_one else None)


def test_the_nearest_one_counts(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["prefect"]\n')
    (tmp_path / "inner" / "pyproject.toml").write_text("[tool.ruff]\n")
    assert find_project(tmp_path / "inner") is None
