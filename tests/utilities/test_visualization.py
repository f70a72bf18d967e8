"""Drawing what a flow would do."""

import asyncio

import pytest

from prefect.utilities import visualization
from prefect.utilities.visualization import (
    FlowVisualizationError,
    GraphvizExecutableNotFoundError,
    TaskVizTracker,
    VizTask,
    build_mermaid_dependencies,
    build_task_dependencies,
    get_task_viz_tracker,
    track_viz_task,
    visualize_task_dependencies,
)


@pytest.fixture
def tracker():
    with TaskVizTracker() as tracker:
        first = track_viz_task(False, "load it", {})
        second = track_viz_task(False, "load it", {"data": first})
        track_viz_task(False, "save-it", {"data": second, "also": first, "nested": [first]})
    return tracker


def test_calls_are_numbered_by_name(tracker):
    assert [task.name for task in tracker.tasks] == ["load it-0", "load it-1", "save-it-0"]


def test_arguments_that_are_results_make_edges(tracker):
    load, again, save = tracker.tasks
    assert again.upstream_tasks == [load]
    assert save.upstream_tasks == [again, load]


def test_a_value_can_stand_for_a_result():
    with TaskVizTracker() as tracker:
        value = ["stands for it"]
        assert track_viz_task(False, "one", {}, viz_return_value=value) is value
        track_viz_task(False, "two", {"x": value, "y": ["stands for it"]})
    assert tracker.tasks[1].upstream_tasks == [tracker.tasks[0]]


@pytest.mark.parametrize("value", [None, True, ..., 7, -5])
def test_values_that_everybody_shares_link_nothing(value):
    with TaskVizTracker() as tracker:
        tracker.link_viz_return_value_to_viz_task(value, VizTask("one"))
        track_viz_task(False, "two", {"x": value})
    assert tracker.tasks[0].upstream_tasks == []


def test_async_tasks_give_something_to_await():
    with TaskVizTracker() as tracker:
        awaited = asyncio.run(track_viz_task(True, "one", {}))
    assert awaited is tracker.tasks[0]


def test_outside_of_a_tracker_nothing_is_recorded():
    assert get_task_viz_tracker() is None
    assert track_viz_task(False, "one", {}) is None


def test_a_graph_can_be_had_as_mermaid(tracker):
    assert build_mermaid_dependencies(tracker).splitlines() == [
        "flowchart TD",
        '    load_it_0["load it-0"]',
        '    load_it_1["load it-1"]',
        '    save_it_0["save-it-0"]',
        "    load_it_0 --> load_it_1",
        "    load_it_1 --> save_it_0",
        "    load_it_0 --> save_it_0",
    ]


def test_a_graph_can_be_had_for_graphviz(tracker):
    source = build_task_dependencies(tracker).source
    assert source.startswith("digraph {\n")
    assert '\t"load it-0" -> "load it-1"\n' in source


def test_names_are_escaped_for_graphviz():
    with TaskVizTracker() as tracker:
        track_viz_task(False, 'say "x" \\ y', {})
    assert '"say \\"x\\" \\\\ y-0"' in build_task_dependencies(tracker).source


def test_without_graphviz_the_user_is_told_what_to_do(tracker, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(GraphvizExecutableNotFoundError, match="generate_mermaid_graph"):
        visualize_task_dependencies(build_task_dependencies(tracker), str(tmp_path / "flow"))


@pytest.fixture
def dot(monkeypatch, tmp_path):
    """A stand-in for the program, which writes what it is told into the picture."""

    def install(script):
        program = tmp_path / "bin" / "dot"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")

    return install


def test_a_picture_is_drawn_and_shown(tracker, dot, monkeypatch, tmp_path):
    shown = []
    monkeypatch.setattr(visualization.webbrowser, "open", shown.append)
    dot('cat > "$3"')
    visualize_task_dependencies(build_task_dependencies(tracker), str(tmp_path / "flow"))
    assert (tmp_path / "flow.png").read_text() == build_task_dependencies(tracker).source
    assert shown == [(tmp_path / "flow.png").as_uri()]


def test_a_picture_that_cannot_be_drawn_is_an_error(tracker, dot, tmp_path):
    dot("echo 'syntax error' >&2; exit 1")
    with pytest.raises(FlowVisualizationError, match="syntax error"):
        build_task_dependencies(tracker).render(str(tmp_path / "flow"))
