"""The same sessions see the same with either package, embedded and on either server."""

from __future__ import annotations

from typing import Any

import pytest
from tests.upstream.conftest import Sessions
from tests.upstream.known_differences import KNOWN

pytestmark = pytest.mark.upstream

EVERYWHERE = [
    ("ours", "upstream"),
    ("upstream", "sqlite"),
    ("upstream", "postgresql"),
    ("ours", "sqlite"),
    ("ours", "postgresql"),
]
COMMANDS = [each for each in EVERYWHERE if each != ("upstream", "sqlite")]
"""What the databases do with upstream's requests shows in the other sessions; its commands take long to load."""
DIRECTIONS = {
    "session": [*EVERYWHERE, ("ours", "embedded")],
    "session_deployments": EVERYWHERE,
    "session_made_deployments": [*EVERYWHERE, ("ours", "embedded")],
    "session_serving": EVERYWHERE,
    "session_worker": EVERYWHERE,
    "session_cli_runs": COMMANDS,
    "session_cli_objects": COMMANDS,
    "session_profiles": [("ours", "sqlite")],
    "session_prefect_yaml": [("ours", "upstream"), ("ours", "sqlite"), ("upstream", "postgresql")],
}
"""Which package each session runs with, and on which API, besides upstream's on upstream's."""
ABSENT = "<absent>"


def differences(expected: Any, found: Any, place: tuple[str, ...] = ()) -> dict[tuple[str, ...], tuple[Any, Any]]:
    """What differs, by the keys and numbers that lead to it."""
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        expected, found = (dict(zip(map(str, range(len(each))), each, strict=True)) for each in (expected, found))
    if isinstance(expected, dict) and isinstance(found, dict):
        return {
            where: what
            for name in expected.keys() | found.keys()
            for where, what in differences(expected.get(name, ABSENT), found.get(name, ABSENT), (*place, name)).items()
        }
    return {} if expected == found else {place: (expected, found)}


@pytest.mark.parametrize(
    ("script", "package", "api"),
    [(script, *direction) for script, directions in DIRECTIONS.items() for direction in directions],
)
def test_a_session_sees_the_same(sessions: Sessions, script: str, package: str, api: str):
    found = differences(sessions.seen(script, "upstream", "upstream"), sessions.seen(script, package, api))
    known = [each for each in KNOWN if each.concerns(script, package, api)]
    unexplained = {place: what for place, what in found.items() if not any(each.covers(place) for each in known)}
    assert unexplained == {}
    gone = [each for each in known if not any(each.covers(place) for place in found)]
    assert gone == [], "these differences are no more: take them out of the table"


@pytest.mark.parametrize("script", DIRECTIONS)
def test_every_part_of_a_session_works(sessions: Sessions, script: str):
    """A part that breaks everywhere in the same way would show nothing."""
    seen = sessions.seen(script, "upstream", "upstream")
    assert [part for part, what in seen.items() if isinstance(what, str)] == []
