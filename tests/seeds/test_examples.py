"""Every file in `examples/` runs as a script, says what it should, and complains about nothing."""

import ast
from pathlib import Path

import pytest
from tests.sdk._reading import flow_runs_named, task_runs_of
from tests.seeds._running import Shell

EXAMPLES = Path(__file__).parents[2] / "examples"

PRINTS = {
    "artifacts": "# Sales\n\nMost were sold in **Tokyo**.\n100 % done\n",
    "async_flows": "1380\n",
    "blocks_and_secrets": "[7, 7]\n",
    "cache_policies": "[('square', 3), ('token',), ('rate', 'EUR'), ('rate', 'EUR')]\n",
    "concurrency_limits": "6 queries, at most 2 at once\n",
    "conditional_branching": "ordered 7 of bolt\nenough of nut\n150 of washer are on sale\n",
    "custom_retries": (
        "/report answered\n/secret: Failed, Task run encountered an exception ServiceError: status 401\n"
    ),
    "deployments": (
        "0 6 * * MON {'city': 'Berlin', 'days': 7} ['reports']\nScheduled {'city': 'Tokyo', 'days': 7}\nTokyo: 7 days\n"
    ),
    "fan_out": "Left out: text 'three' is empty\n{'four': 0, 'one': 2, 'two': 1}\n",
    "generators": "/missing (404)\n/broken (500)\n/other (404)\n",
    "hello": "",
    "hooks": (
        "ratio is Running\nratio is Completed\nratio is Running\ndivide failed with ZeroDivisionError\nratio is Failed\n"
        "ALERT ratio: Flow run encountered an exception: ZeroDivisionError: division by zero\n"
    ),
    "logging_and_names": "['load-users-2026-01-31', 'load-orders-2026-01-31']\n",
    "nested_flows": (
        "prepare-london has the tags ['europe']\nprepare-tokyo has the tags []\n['ada', 'grace', 'katherine']\n"
    ),
    "pause_for_input": "published 'the news'\n",
    "process_pool": "1229\n",
    "retries_and_caching": (
        'Read 3 times in two syncs:\n{"id": 1, "name": "Ada Lovelace"}\n{"id": 2, "name": "Grace Hopper"}\n'
    ),
    "states_and_dependencies": ("tea of 1.0 l of hot water\nCompleted: cold brew, because the kettle is too small\n"),
    "testing_flows": ".... [100%]\n",
    "transactions": "Kept: ['page.html']\nRolled back page.html\nFailed, kept: []\n",
    "variables_and_events": "machine.web-2 {'load': 0.97, 'limit': 0.8}\n",
}


@pytest.mark.parametrize("name", sorted(PRINTS))
def test_an_example_runs_and_says_what_it_should(shell: Shell, name: str):
    ran = shell.python("-W", "default", EXAMPLES / f"{name}.py")
    assert (ran.code, ran.output.split()) == (0, PRINTS[name].split()), ran.errors
    assert "Warning" not in ran.errors
    # Errors of the user's code are shown without the engine's frames.
    assert "/prefect/_engine/" not in ran.errors


def test_every_example_is_listed_and_says_what_it_shows():
    files = sorted(path.stem for path in EXAMPLES.glob("*.py"))
    assert files == sorted([*PRINTS, "weather_etl"])
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for name in files:
        assert f"[{name}.py]({name}.py)" in listed
        assert ast.get_docstring(ast.parse((EXAMPLES / f"{name}.py").read_text(encoding="utf-8")))


def test_the_second_weather_report_comes_from_the_cache(shell: Shell):
    for _ in range(2):
        assert shell.python(EXAMPLES / "weather_etl.py", "weather.db").code == 0
    latest = max(flow_runs_named("weather-etl"), key=lambda run: run.start_time)
    states = {run.name: run.state.name for run in task_runs_of(latest.id)}
    assert {name: states[name] for name in states if name.startswith("summarise")} == {
        f"summarise-{year}": "Cached" for year in (2012, 2013, 2014, 2015)
    }
