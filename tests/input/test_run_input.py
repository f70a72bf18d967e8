import time
from types import SimpleNamespace
from uuid import UUID, uuid4

import pydantic
import pytest

from prefect import _current
from prefect.client._calls import flows as flow_calls
from prefect.client._calls._call import Call, one
from prefect.client._send import send
from prefect.client.schemas.objects import FlowRun
from prefect.input import (
    RunInput,
    create_flow_run_input,
    create_flow_run_input_from_model,
    delete_flow_run_input,
    filter_flow_run_input,
    keyset_from_base_key,
    keyset_from_paused_state,
    read_flow_run_input,
    receive_input,
    send_input,
)
from prefect.input.actions import ensure_flow_run_id
from prefect.input.run_input import AutomaticRunInput, GetAutomaticInputHandler, run_input_subclass_from_type
from prefect.states import Paused, Running, Suspended


class Person(RunInput):
    """Somebody."""

    name: str
    age: int = pydantic.Field(default=3, ge=0)


class Plain(pydantic.BaseModel):
    x: int


@pytest.fixture
def flow_run_id(home) -> UUID:
    """A flow run that is active here."""
    flow_id = send(flow_calls.create_flow_from_name("asks"))
    own_flow_run = send(Call("POST", "/flow_runs/", body={"flow_id": flow_id}, parse=one(FlowRun))).id
    token = _current.flow_run_context.set(SimpleNamespace(flow_run=SimpleNamespace(id=own_flow_run), flow=None))
    yield own_flow_run
    _current.flow_run_context.reset(token)


# -- kinds of input ---------------------------------------------------------------------------------------------------


def test_keys_are_made_of_a_base():
    assert keyset_from_base_key("k") == {"description": "k-description", "response": "k-response", "schema": "k-schema"}
    assert keyset_from_paused_state(Paused(pause_key="1"))["schema"] == "paused-1-schema"
    assert keyset_from_paused_state(Suspended(pause_key="x"))["response"] == "suspended-x-response"
    assert Person.keyset_from_type()["schema"] == "person-schema"
    with pytest.raises(RuntimeError, match="'RUNNING' is unsupported"):
        keyset_from_paused_state(Running())


def test_plain_types_are_wrapped_and_models_are_upgraded():
    wrapped = run_input_subclass_from_type(int)
    assert issubclass(wrapped, AutomaticRunInput) and wrapped.__name__ == "intAutomaticRunInput"
    assert wrapped(value=3).value == 3
    upgraded = run_input_subclass_from_type(Plain)
    assert issubclass(upgraded, RunInput) and issubclass(upgraded, Plain) and upgraded.__name__ == "PlainRunInput"
    assert run_input_subclass_from_type(Person) is Person
    assert run_input_subclass_from_type(list[int])(value=["1"]).value == [1]
    assert run_input_subclass_from_type(dict[str, int] | None)(value=None).value is None
    assert run_input_subclass_from_type(Plain(x=7))().x == 7


def test_unknown_fields_are_errors():
    for kind in (Person, run_input_subclass_from_type(Plain)):
        with pytest.raises(pydantic.ValidationError, match="extra_forbidden"):
            kind(name="a", x=1, other=2)


def test_initial_data_become_defaults_of_the_same_types():
    filled = Person.with_initial_data(description="Who is it?", name="bob", age=5)
    assert issubclass(filled, Person) and filled.__name__ == "Person"
    assert (filled().name, filled().age, filled._description) == ("bob", 5, "Who is it?")
    assert Person._description is None
    with pytest.raises(pydantic.ValidationError):
        filled(age=-1)
    assert run_input_subclass_from_type(int).with_initial_data(value=3)().value == 3


# -- storing ----------------------------------------------------------------------------------------------------------


def test_inputs_are_stored_read_found_and_deleted(flow_run_id):
    create_flow_run_input("a-1", {"x": [1]})
    create_flow_run_input("a-2", "text", sender="me")
    create_flow_run_input_from_model("b", Plain(x=3))
    assert read_flow_run_input("a-1") == {"x": [1]}
    assert read_flow_run_input("b") == {"x": 3}
    assert read_flow_run_input("absent") is None
    assert [found.key for found in filter_flow_run_input("a", limit=5)] == ["a-1", "a-2"]
    assert [found.key for found in filter_flow_run_input("a")] == ["a-1"]
    (found,) = filter_flow_run_input("a", exclude_keys={"a-1"})
    assert (found.decoded_value, found.sender) == ("text", "me")
    delete_flow_run_input("a-1")
    assert read_flow_run_input("a-1") is None


def test_a_flow_run_is_needed():
    id = uuid4()
    assert ensure_flow_run_id(id) == id
    for attempt in (ensure_flow_run_id, lambda: read_flow_run_input("k"), lambda: receive_input(int)):
        with pytest.raises(RuntimeError, match="flow run ID"):
            attempt()


def test_what_people_are_asked_for_is_stored_and_their_answer_read(flow_run_id):
    keys = keyset_from_base_key("ask")
    Person.with_initial_data(description="Who?", name="bob").save(keys)
    assert read_flow_run_input("ask-schema")["properties"]["name"]["default"] == "bob"
    assert read_flow_run_input("ask-description") == "Who?"

    create_flow_run_input("ask-response", {"name": "zed"})
    answer = Person.load(keys)
    assert (answer.name, answer.age) == ("zed", 3)
    assert (answer.metadata.key, answer.metadata.receiver) == ("ask-response", flow_run_id)


def test_without_an_answer_the_initial_data_count(flow_run_id):
    keys = keyset_from_base_key("ask")
    assert Person.with_initial_data(name="bob").load(keys).name == "bob"
    with pytest.raises(pydantic.ValidationError):
        Person.load(keys)


def test_the_answer_to_a_plain_type_is_its_value(flow_run_id):
    keys = keyset_from_base_key("ask")
    create_flow_run_input("ask-response", {"value": 3})
    assert run_input_subclass_from_type(int).load(keys) == 3


# -- sending and receiving --------------------------------------------------------------------------------------------


def test_each_type_is_received_apart_in_order_and_once(flow_run_id):
    for value in (1, "one", Person(name="a"), Plain(x=1), 2, {"k": "v"}):
        send_input(value, flow_run_id)
    numbers = receive_input(int, timeout=0)
    assert list(numbers) == [1, 2]
    assert list(numbers) == []
    assert list(receive_input(int, timeout=0)) == [1, 2]
    assert list(receive_input(int, timeout=0, exclude_keys=numbers.exclude_keys)) == []
    assert list(receive_input(str, timeout=0)) == ["one"]
    assert [person.name for person in receive_input(Person, timeout=0)] == ["a"]
    assert [plain.x for plain in receive_input(Plain, timeout=0)] == [1]
    assert list(Person.receive(timeout=0)) == list(receive_input(Person, timeout=0))
    assert list(receive_input(dict, timeout=0)) == [{"k": "v"}]


def test_the_sender_is_the_current_run_or_who_is_named(flow_run_id):
    send_input(1, flow_run_id)
    send_input(2, flow_run_id, sender="somebody")
    inputs = receive_input(int, timeout=0, with_metadata=True)
    assert isinstance(inputs, GetAutomaticInputHandler)
    first, second = list(inputs)
    assert (first.value, first.metadata.sender) == (1, f"prefect.flow-run.{flow_run_id}")
    assert (second.metadata.sender, second.metadata.receiver) == ("somebody", flow_run_id)


def test_a_prefix_of_ones_own_keeps_inputs_apart(flow_run_id):
    send_input(1, flow_run_id, key_prefix="mine")
    assert list(receive_input(int, timeout=0)) == []
    assert list(receive_input(int, timeout=0, key_prefix="mine")) == [1]


def test_a_response_goes_to_the_run_that_sent(flow_run_id):
    Person(name="asker").send_to(flow_run_id)
    received = Person.receive(timeout=0).next()
    received.respond(Person(name="answer"))
    assert [person.name for person in Person.receive(timeout=0)] == ["asker", "answer"]

    Person(name="outsider").send_to(flow_run_id, sender="a person", key_prefix="out")
    with pytest.raises(RuntimeError, match="not sent by a flow run, its sender is 'a person'"):
        Person.receive(timeout=0, key_prefix="out").next().respond(Person(name="x"))


def test_waiting_ends_the_iteration_or_raises(flow_run_id):
    before = time.monotonic()
    assert list(receive_input(int, timeout=0.02, poll_interval=0.001)) == []
    assert time.monotonic() - before >= 0.02
    with pytest.raises(TimeoutError, match="Timed out waiting for input"):
        list(receive_input(int, timeout=0, raise_timeout_error=True))
    with pytest.raises(TimeoutError):
        receive_input(int, timeout=0).next()


async def test_in_async_code_everything_is_awaited(flow_run_id):
    await send_input(1, flow_run_id)
    await Person(name="a").send_to(flow_run_id)
    assert [value async for value in receive_input(int, timeout=0)] == [1]
    assert await receive_input(int, timeout=0).next() == 1
    assert (await Person.receive(timeout=0).anext()).name == "a"
    with pytest.raises(TimeoutError):
        _ = [value async for value in receive_input(str, timeout=0, raise_timeout_error=True)]
    keys = keyset_from_base_key("ask")
    await Person.save(keys)
    await create_flow_run_input("ask-response", {"name": "zed"})
    assert (await Person.load(keys)).name == "zed"
    assert (await read_flow_run_input("ask-response")) == {"name": "zed"}
    await delete_flow_run_input("ask-response")
    assert len(await filter_flow_run_input("ask", limit=5)) == 1
