"""Models load in groups: what a flow does not need is not imported, and no model is compiled before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

from prefect.client.schemas import actions, filters, objects, responses


def modules_after(code: str) -> set[str]:
    """The modules that a fresh process has loaded after running some code."""
    script = f"{code}\nimport sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_runs_and_states_load_nothing_else():
    loaded = modules_after("from prefect.client.schemas.objects import FlowRun, State, TaskRun")
    others = {
        "_deployments",
        "_work_pools",
        "_blocks",
        "_cloud",
        "_records",
        "schedules",
        "_run_actions",
        "_run_filters",
    }
    assert not {f"prefect.client.schemas.{name}" for name in others} & loaded
    heavy = {"asyncio", "croniter", "dateutil", "httpx", "orjson", "prefect.settings", "pydantic.networks"}
    assert not heavy & loaded


def test_schedules_are_validated_by_what_they_need():
    interval = modules_after("from prefect.client.schemas.schedules import *; IntervalSchedule(interval=60)")
    cron = modules_after("from prefect.client.schemas.schedules import *; CronSchedule(cron='* * * * *')")
    assert not {"croniter", "dateutil.rrule"} & interval
    assert "croniter" in cron


def test_events_load_no_urls_and_no_settings():
    loaded = modules_after("import prefect.events.schemas.events, prefect.events.filters, prefect.events.actions")
    assert not {"pydantic.networks", "prefect.settings", "asyncio"} & loaded


def test_models_are_compiled_when_they_are_used():
    code = (
        "from prefect.client.schemas.objects import Deployment, State\n"
        "assert not State.__pydantic_complete__ and not Deployment.__pydantic_complete__\n"
        "State(type='RUNNING')\n"
        "assert State.__pydantic_complete__ and not Deployment.__pydantic_complete__"
    )
    modules_after(code)


@pytest.mark.parametrize("module", [objects, actions, filters, responses])
def test_all_public_names_load_and_call_the_public_module_their_home(module: object):
    for name in module.__all__:
        value = getattr(module, name)
        if isinstance(value, type):
            assert value.__module__ == module.__name__, name
    assert not hasattr(module, "no_such_name")


def test_star_imports_bring_the_models():
    modules_after("from prefect.client.schemas.objects import *; assert State and WorkPool")
