"""The public surface of the lowest layer: utilities, errors, serializers, cache policies, locks."""

import pytest

from .compare import compare_module, published_modules, unexplained

BEGINNINGS = (
    "prefect.cache_policies",
    "prefect.exceptions",
    "prefect.locking",
    "prefect.serializers",
    "prefect.utilities",
)

EXCEPTIONS: dict[str, dict[str, str]] = {}
"""By module and place, what differs on purpose, and why."""

MODULES = {
    name: spec
    for name, spec in published_modules().items()
    if name.startswith(BEGINNINGS) and name != "prefect.utilities.engine"
}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_as_published(name):
    assert unexplained(compare_module(name, MODULES[name]), EXCEPTIONS.get(name, {})) == []
