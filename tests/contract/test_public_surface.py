"""The whole public surface: names, signatures, defaults, fields. What differs is listed, and the list may only shrink.

`python -m tests.contract.test_public_surface` writes the list anew; look at what it adds before you commit it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.contract.compare import compare_module, published_modules

EXCEPTIONS = Path(__file__).parent / "surface_exceptions.json"
# These differences show this machine's folders or certificates, so they are compared without the value.
_VARIES = ("defaults to '/", "is PosixPath(")


def differences_of(module: str) -> list[str]:
    found = compare_module(module, published_modules()[module])
    return sorted(
        {
            difference.split(": defaults to '/")[0] if any(v in difference for v in _VARIES) else difference
            for difference in found
        }
    )


def listed() -> dict[str, list[str]]:
    return json.loads(EXCEPTIONS.read_text())


@pytest.mark.parametrize("module", sorted(published_modules()))
def test_a_module_has_what_it_should(module):
    found, known = differences_of(module), listed().get(module, [])
    new = sorted(set(found) - set(known))
    gone = sorted(set(known) - set(found))
    assert not new, "differs in ways that are not listed:\n" + "\n".join(new)
    assert not gone, "take these off the list, they hold now:\n" + "\n".join(gone)


def write() -> None:
    table = {module: found for module in sorted(published_modules()) if (found := differences_of(module))}
    EXCEPTIONS.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")
    print(f"{sum(map(len, table.values()))} differences in {len(table)} of {len(published_modules())} modules")


if __name__ == "__main__":
    write()
