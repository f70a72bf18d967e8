"""Drawing a flow: its body runs with tasks and nested flows replaced by recorders (SDK section 1.5)."""

from __future__ import annotations

import pytest
from tests.sdk._reading import flow_runs_named

from prefect import flow, task
from prefect.utilities.visualization import GraphvizExecutableNotFoundError, VisualizationUnsupportedError

pytestmark = pytest.mark.filterwarnings("ignore:.*not decorated.*:UserWarning")


@task
def extract():
    raise AssertionError("a drawn task does not run")


@task
def load(x): ...


def lines(graph: str) -> list[str]:
    head, *rest = graph.split("\n")
    assert head == "flowchart TD"
    return [line.strip() for line in rest]


def test_the_graph_lists_calls_in_order_and_then_edges():
    @task(name="my task")
    def join(x, y=None): ...

    @flow
    def child(z): ...

    @flow(name="drawn")
    def parent(n=1):
        a = extract()
        b = load(a)
        c = join(b, y=a)
        child(c)
        load(child(b))
        join(n)

    graph = parent.generate_mermaid_graph()
    assert graph == (
        "flowchart TD\n"
        '    extract_0["extract-0"]\n'
        '    load_0["load-0"]\n'
        '    my_task_0["my task-0"]\n'
        '    child_0["child-0"]\n'
        '    child_1["child-1"]\n'
        '    load_1["load-1"]\n'
        '    my_task_1["my task-1"]\n'
        "    extract_0 --> load_0\n"
        "    load_0 --> my_task_0\n"
        "    extract_0 --> my_task_0\n"
        "    my_task_0 --> child_0\n"
        "    load_0 --> child_1\n"
        "    child_1 --> load_1"
    )
    assert flow_runs_named("drawn") == []


def test_edges_come_only_from_arguments_themselves():
    @flow
    def parent():
        load([extract()])

    assert lines(parent.generate_mermaid_graph()) == ['extract_0["extract-0"]', 'load_0["load-0"]']


def test_a_value_can_stand_for_a_result():
    found = []

    @task(viz_return_value=[1, 2])
    def numbers(): ...

    @task(viz_return_value=5)
    def small(): ...

    @flow
    def parent():
        for n in numbers():
            found.append(n)
        load(numbers())
        load(small())

    assert lines(parent.generate_mermaid_graph())[-1] == "numbers_1 --> load_0"
    assert found == [1, 2]


def test_parameters_reach_the_body():
    @flow
    def parent(count, kind=load):
        for _ in range(count):
            kind(1)

    assert len(lines(parent.generate_mermaid_graph(3))) == 3
    assert len(lines(parent.generate_mermaid_graph(count=2))) == 2
    with pytest.raises(TypeError):
        parent.generate_mermaid_graph()


@pytest.mark.parametrize("method", ["submit", "map", "delay", "apply_async"])
def test_calls_without_a_place_in_a_drawing_are_refused(method):
    @flow
    def parent():
        getattr(load, method)([1])

    with pytest.raises(VisualizationUnsupportedError, match=method) as refusal:
        parent.generate_mermaid_graph()
    assert "viz_return_value" not in str(refusal.value)


def test_other_errors_keep_their_type_and_give_a_hint():
    @flow
    def parent():
        return extract() + 1

    with pytest.raises(TypeError, match="viz_return_value"):
        parent.generate_mermaid_graph()


def test_undecorated_code_is_warned_of():
    @flow
    def parent(): ...

    with pytest.warns(UserWarning, match="not decorated"):
        parent.generate_mermaid_graph()


async def test_async_flows_are_drawn_too():
    @task
    async def one(): ...

    @flow
    async def parent():
        load(await one())

    expected = ['one_0["one-0"]', 'load_0["load-0"]', "one_0 --> load_0"]
    assert lines(await parent.agenerate_mermaid_graph()) == expected


def test_async_flows_are_drawn_from_sync_code():
    @task
    async def one(): ...

    @flow
    async def parent():
        await one()

    assert lines(parent.generate_mermaid_graph()) == ['one_0["one-0"]']


async def test_a_sync_flow_is_drawn_inside_a_running_loop():
    @flow
    def parent():
        load(1)

    assert lines(parent.generate_mermaid_graph()) == ['load_0["load-0"]']


def test_methods_are_drawn_with_their_object():
    class Pipeline:
        times = 2

        @flow
        def run(self):
            for _ in range(self.times):
                load(1)

    assert len(lines(Pipeline().run.generate_mermaid_graph())) == 2


def test_drawing_a_picture_needs_graphviz(monkeypatch):
    @flow
    def parent():
        load(1)

    monkeypatch.setenv("PATH", "")
    with pytest.raises(GraphvizExecutableNotFoundError):
        parent.visualize()


def test_after_a_drawing_tasks_run_again():
    @task
    def one():
        return 1

    @flow
    def parent():
        return one()

    parent.generate_mermaid_graph()
    assert parent() == 1
