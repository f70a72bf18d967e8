"""Names of earlier versions: found where they are now, or refused with what to use instead."""

from __future__ import annotations

from importlib import import_module

import pytest

from prefect.analytics import emit_integration_event, is_telemetry_enabled
from prefect.exceptions import PrefectImportError


@pytest.mark.parametrize(
    "place",
    [
        "prefect.agent:PrefectAgent", "prefect.context:PrefectObjectRegistry", "prefect.engine:_in_process_pause",
        "prefect.engine:_out_of_process_pause", "prefect.filesystems:Azure", "prefect.filesystems:GCS",
        "prefect.filesystems:GitHub", "prefect.filesystems:S3", "prefect.infrastructure.base:Infrastructure",
        "prefect.infrastructure:KubernetesJob", "prefect.client.schemas.objects:MinimalDeploymentSchedule",
        "prefect.workers.block:BlockWorkerJobConfiguration", "prefect.workers.cloud:BlockWorker",
    ],
)  # fmt: skip
def test_removed_names_say_what_to_use(place):
    module, name = place.split(":")
    with pytest.raises(PrefectImportError, match=r"has been removed\. \w+"):
        getattr(import_module(module), name)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("prefect.engine:pause_flow_run", "prefect.flow_runs:pause_flow_run"),
        ("prefect.engine:resume_flow_run", "prefect.flow_runs:resume_flow_run"),
        ("prefect.engine:suspend_flow_run", "prefect.flow_runs:suspend_flow_run"),
    ],
)
def test_moved_names_are_found_with_a_warning(old, new):
    module, name = old.split(":")
    home, new_name = new.split(":")
    with pytest.warns(DeprecationWarning, match=new):
        found = getattr(import_module(module), name)
    assert found is getattr(import_module(home), new_name)


def test_variables_are_got_under_the_old_name(home):
    from prefect import variables

    variables.Variable.set("old_name", 3, _sync=True)
    with pytest.warns(DeprecationWarning, match=r"Variable\.get"):
        assert variables.get("old_name", _sync=True) == 3


def test_what_never_was_is_missing():
    with pytest.raises(ImportError, match="never_was"):
        from prefect.filesystems import never_was  # noqa: F401


def test_all_public_names_are_in_main():
    import prefect
    from prefect import main

    for name in ("flow", "task", "State", "get_client", "tags", "unmapped", "apause_flow_run"):
        assert getattr(main, name) is getattr(prefect, name)


def test_no_statistics_are_sent():
    assert not is_telemetry_enabled()
    assert emit_integration_event("prefect-x", "used", {"a": 1}) is False


def test_earlier_paths_of_plugins_and_launchers_give_the_same_objects():
    from prefect import plugins
    from prefect._experimental import _launchers
    from prefect._experimental import plugins as earlier
    from prefect._internal import launchers

    assert earlier.register_hook is plugins.register_hook
    assert _launchers.get_launcher_for_side is launchers.get_launcher_for_side


def test_contexts_of_other_packages_declare_fields_as_models_do():
    from contextvars import ContextVar
    from typing import Any

    from pydantic import Field

    from prefect.context import ContextModel

    class Options(ContextModel):
        __var__ = ContextVar("test_options", default=None)
        current: dict[str, Any] = Field(default_factory=dict)
        limit: int = Field(default=3)

    assert Options.get() is None
    with Options(current={"a": 1}) as outer:
        assert Options.get() is outer and (outer.current, outer.limit) == ({"a": 1}, 3)
        with Options() as inner:
            assert (inner.current, Options.get()) == ({}, inner)
        assert Options.get() is outer
    assert Options().current is not Options().current
