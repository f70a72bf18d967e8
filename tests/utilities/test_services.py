"""Background loops that live with an API that is away."""

import socket
import urllib.request

import httpx
import pytest

from prefect.settings import temporary_settings
from prefect.utilities.services import critical_service_loop, start_client_metrics_server, stop_client_metrics_server

REQUEST = httpx.Request("GET", "http://host")


def answered(status):
    return httpx.HTTPStatusError("no", request=REQUEST, response=httpx.Response(status, request=REQUEST))


class Workload:
    """Fails as told, call by call, and ends the loop when it is told nothing more."""

    class Ended(Exception): ...

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.calls = 0

    async def __call__(self):
        self.calls += 1
        if not self.outcomes:
            raise self.Ended
        outcome = self.outcomes.pop(0)
        if outcome is not None:
            raise outcome


async def run(workload, **options):
    said = []
    try:
        await critical_service_loop(workload, 0.0001, printer=said.append, **options)
    except Workload.Ended:
        pass
    return said


async def test_the_work_is_done_again_and_again():
    workload = Workload(None, None, None)
    assert await run(workload) == []
    assert workload.calls == 4


async def test_the_work_can_be_done_once():
    workload = Workload(None, None)
    await run(workload, run_once=True)
    assert workload.calls == 1


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x"), answered(500), answered(503)],
)
async def test_failures_of_the_network_and_the_server_are_waited_out(error):
    workload = Workload(error, error, None)
    assert await run(workload) == []
    assert workload.calls == 4


@pytest.mark.parametrize("error", [answered(404), answered(429), KeyError("x"), OSError("x")])
async def test_other_errors_end_the_loop(error):
    with pytest.raises(type(error)):
        await run(Workload(error))


async def test_a_success_between_failures_starts_the_count_again():
    failure = httpx.ConnectError("x")
    workload = Workload(*[failure, failure, None] * 5)
    assert await run(workload, consecutive=3, backoff=1) == []


async def test_too_many_failures_end_the_loop_after_the_rounds_allowed():
    workload = Workload(*[httpx.ConnectError("boo")] * 10)
    said = []
    with pytest.raises(RuntimeError, match="error threshold"):
        await critical_service_loop(workload, 0.0001, consecutive=2, backoff=2, printer=said.append)
    assert workload.calls == 4
    assert "Failed the last 2 attempts" in said[0]
    assert any("ConnectError: boo" in line for line in said)
    assert any("Backing off" in line and "0.0002" in line for line in said)


async def test_the_interval_is_reset_by_a_success():
    failure = httpx.ConnectError("x")
    said = await run(Workload(failure, failure, None, failure, failure, None), consecutive=2, backoff=2)
    assert len([line for line in said if line.startswith("Resetting")]) == 2


async def test_intervals_may_vary():
    workload = Workload(None, None)
    await run(workload, jitter_range=0.3)
    assert workload.calls == 3


def test_metrics_are_not_served_unless_asked_for():
    start_client_metrics_server()
    stop_client_metrics_server()


def test_metrics_are_served_or_their_package_is_asked_for():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with temporary_settings({"client.metrics.enabled": True, "client.metrics.port": port}):
        try:
            import prometheus_client  # noqa: F401
        except ModuleNotFoundError:
            with pytest.raises(ModuleNotFoundError, match="pip install prometheus-client"):
                start_client_metrics_server()
            return
        start_client_metrics_server()
        try:
            assert urllib.request.urlopen(f"http://127.0.0.1:{port}").status == 200
        finally:
            stop_client_metrics_server()


def test_a_port_that_is_taken_is_told_and_nothing_else_suffers(caplog):
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        with temporary_settings({"client.metrics.enabled": True, "client.metrics.port": port}):
            start_client_metrics_server()
    stop_client_metrics_server()
    assert f"not served: port {port}" in caplog.text
