"""Every example is listed with where it came from, and some test runs it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.seeds._running import SNIPPETS

HERE = Path(__file__).parent
INDEX = json.loads((HERE / "index.json").read_text(encoding="utf-8"))


def test_the_index_lists_every_example():
    assert sorted(INDEX["snippets"]) == sorted(path.name for path in SNIPPETS.glob("[0-9][0-9]_*"))


def test_every_example_comes_from_a_listed_text():
    assert {text for text, _ in INDEX["snippets"].values()} == set(INDEX["seeds"])


def test_every_example_is_named_in_a_test():
    tests = "\n".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py"))
    names = {re.sub(r"^\d+_|\.\w+$", "", name) for name in INDEX["snippets"]}
    assert {name for name in names if not re.search(rf"[\"']{name}[\"']", tests)} == set()
