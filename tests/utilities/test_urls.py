"""URLs of objects, and of what may be called."""

import subprocess
import sys
from uuid import UUID

import httpx
import pytest

from prefect.settings import temporary_settings
from prefect.utilities.urls import (
    SSRFProtectedAsyncHTTPTransport,
    SSRFProtectedHTTPTransport,
    convert_class_to_name,
    url_for,
    validate_restricted_url,
)

ID = UUID(int=7)
HOST = "http://host:4200"


@pytest.fixture
def api():
    with temporary_settings({"api.url": f"{HOST}/api"}):
        yield


def thing(class_name, **facts):
    return type(class_name, (), facts)()


def test_importing_the_module_does_not_import_httpx():
    subprocess.run(
        [sys.executable, "-c", "import sys, prefect.utilities.urls; assert 'httpx' not in sys.modules"], check=True
    )


@pytest.mark.parametrize(
    ("kind", "ui", "api_path"),
    [
        ("flow", "flows/flow", "flows"),
        ("flow-run", "runs/flow-run", "flow_runs"),
        ("task-run", "runs/task-run", "task_runs"),
        ("deployment", "deployments/deployment", "deployments"),
        ("block", "blocks/block", "blocks"),
        ("automation", "automations/automation", "automations"),
        ("work-pool", "work-pools/work-pool", "work_pools"),
        ("work-queue", "work-queues/work-queue", "work_queues"),
        ("concurrency-limit", "concurrency-limits/concurrency-limit", "concurrency_limits"),
    ],
)
def test_kinds_have_urls_in_the_ui_and_in_the_api(api, kind, ui, api_path):
    assert url_for(kind, ID) == f"{HOST}/{ui}/{ID}"
    assert url_for(kind, ID, url_type="api") == f"{HOST}/api/{api_path}/{ID}"


@pytest.mark.parametrize(
    ("obj", "url"),
    [
        (thing("FlowRun", id=ID), f"runs/flow-run/{ID}"),
        (thing("FlowRunResponse", id=ID), f"runs/flow-run/{ID}"),
        (thing("DeploymentResponse", id=ID), f"deployments/deployment/{ID}"),
        (thing("WorkPool", id=ID, name="mine"), "work-pools/work-pool/mine"),
        (thing("Secret", _block_document_id=ID), f"blocks/block/{ID}"),
        (thing("PrefectConcurrentFuture", task_run_id=ID), f"runs/task-run/{ID}"),
        (thing("PrefectFlowRunFuture", flow_run_id=ID, result=lambda self: None), f"runs/flow-run/{ID}"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_objects_have_urls(api, obj, url):
    assert url_for(obj) == f"{HOST}/{url}"


def test_objects_of_the_client_have_urls(api):
    from prefect.client.schemas.objects import Flow

    assert url_for(Flow(id=ID, name="f")) == f"{HOST}/flows/flow/{ID}"


def test_events_and_resources_have_urls(api):
    from prefect.events.schemas.events import ReceivedEvent, Resource

    time = "2020-01-02T03:04:05Z"
    event = ReceivedEvent(id=ID, occurred=time, received=time, event="e", resource={"prefect.resource.id": "r"})
    assert url_for(event) == f"{HOST}/events/event/2020-01-02/{ID}"
    assert url_for(event, url_type="api") is None
    assert url_for(Resource({"prefect.resource.id": f"prefect.flow-run.{ID}"})) == f"{HOST}/runs/flow-run/{ID}"
    assert url_for(Resource({"prefect.resource.id": "mine"})) is None


def test_variables_have_urls_in_the_api_only(api):
    variable = thing("Variable", name="v")
    assert url_for(variable) is None
    assert url_for(variable, url_type="api") == f"{HOST}/api/variables/name/v"


def test_parts_of_a_url_can_be_given(api):
    assert url_for("worker", "w", work_pool_name="p") == f"{HOST}/work-pools/work-pool/p/worker/w"
    with pytest.raises(ValueError, match="work_pool_name"):
        url_for("worker", "w")


def test_unknown_kinds_have_no_url(api):
    assert url_for("nothing", ID) is None
    assert url_for(3, ID) is None


def test_the_name_of_a_kind_needs_an_id(api):
    with pytest.raises(ValueError, match="object ID"):
        url_for("flow-run")


def test_there_are_two_kinds_of_urls(api):
    with pytest.raises(ValueError, match="Invalid URL type: web"):
        url_for("flow-run", ID, url_type="web")


def test_without_an_api_there_is_the_default_or_nothing():
    assert url_for("flow-run", ID) is None
    assert url_for("flow-run", ID, default_base_url="http://x/") == f"http://x/runs/flow-run/{ID}"


@pytest.mark.parametrize(
    ("class_name", "name"), [("FlowRun", "flow-run"), ("Variable", "variable"), ("XResponse", "x-response")]
)
def test_classes_have_names(class_name, name):
    assert convert_class_to_name(thing(class_name)) == name


# --- private addresses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "https://10.0.0.1:8080/x",
        "http://192.168.1.1",
        "http://169.254.169.254/latest/meta-data",
        "http://100.64.0.1",
        "http://0.0.0.0",
        "http://224.0.0.1",
        "http://localhost/",
        "http://[::1]/",
        "http://[fd00::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[2002:7f00:1::]/",
    ],
)
def test_private_addresses_are_refused(url):
    with pytest.raises(ValueError, match="private address"):
        validate_restricted_url(url)


@pytest.mark.parametrize("url", ["ftp://1.1.1.1", "1.1.1.1", "http:///x", "file:///etc/passwd", "http://[", ""])
def test_other_urls_are_refused(url):
    with pytest.raises(ValueError, match="not a valid URL"):
        validate_restricted_url(url)


@pytest.mark.parametrize("url", ["http://1.1.1.1/", "https://[2606:4700:4700::1111]/", "http://[::ffff:1.1.1.1]/"])
def test_public_addresses_pass(url):
    validate_restricted_url(url)


def test_a_protected_client_does_not_connect_to_private_addresses():
    with httpx.Client(transport=SSRFProtectedHTTPTransport()) as client:
        with pytest.raises(httpx.ConnectError, match="Refusing to connect to 'localhost'"):
            client.get("http://localhost:1/")


async def test_a_protected_async_client_does_not_connect_to_private_addresses():
    async with httpx.AsyncClient(transport=SSRFProtectedAsyncHTTPTransport()) as client:
        with pytest.raises(httpx.ConnectError, match="Refusing to connect to 'localhost'"):
            await client.get("http://localhost:1/")


def test_the_address_that_was_checked_is_the_one_that_is_used(monkeypatch):
    from prefect.utilities import _restricted_urls

    used = []

    class Backend:
        def connect_tcp(self, host, *args):
            used.append(host)
            raise httpx.ConnectError("not in a test")

    answers = iter([["1.1.1.1"], ["127.0.0.1"]])
    monkeypatch.setattr(_restricted_urls, "_public_addresses", lambda host, port: next(answers))
    backend = _restricted_urls._CheckingBackend(Backend())
    with pytest.raises(httpx.ConnectError):
        backend.connect_tcp("rebinding.example", 80)
    assert used == ["1.1.1.1"]
