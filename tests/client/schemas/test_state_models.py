"""States: what they are, how they are shown, copied, compared and stored."""

from __future__ import annotations

import pickle
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest
from pydantic import ValidationError

from prefect.client.schemas.actions import StateCreate
from prefect.client.schemas.objects import (
    TERMINAL_STATES,
    FlowRunResult,
    RunType,
    State,
    StateDetails,
    StateType,
    TaskRunResult,
    data_discriminator,
)

UTC = timezone.utc


@pytest.mark.parametrize("type_", list(StateType))
def test_a_state_is_of_one_type(type_: StateType):
    state = State(type=type_)
    true = {other for other in StateType if getattr(state, f"is_{other.value.lower()}")()}
    assert true == {type_}
    assert state.is_final() == (type_ in TERMINAL_STATES)


def test_the_type_decides_and_not_the_name():
    assert not State(type="CANCELLED", name="Cancelling").is_cancelling()


@pytest.mark.parametrize("name", [None, ""])
def test_a_state_without_a_name_is_named_after_its_type(name: str | None):
    assert State(type="COMPLETED", name=name).name == "Completed"
    assert State(type="COMPLETED").model_dump(exclude_unset=True, mode="json")["name"] == "Completed"


def test_a_scheduled_state_always_says_when():
    before = datetime.now(UTC)
    state = State(type="SCHEDULED")
    assert before <= state.state_details.scheduled_time <= datetime.now(UTC)
    given = StateDetails(scheduled_time=before + timedelta(days=1))
    assert State(type="SCHEDULED", state_details=given).state_details.scheduled_time == before + timedelta(days=1)


def test_making_a_scheduled_state_leaves_the_given_details_alone():
    details = StateDetails()
    State(type="SCHEDULED", state_details=details)
    assert details.scheduled_time is None


def test_an_unknown_type_is_refused_with_the_known_ones():
    with pytest.raises(ValidationError, match="'SCHEDULED', 'PENDING', 'RUNNING'"):
        State(type="SLEEPING")


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (State(type="COMPLETED"), "Completed()"),
        (State(type="COMPLETED", message="done"), "Completed('done')"),
        (State(type="SCHEDULED", name="Late"), "Late(type=SCHEDULED)"),
        (State(type="SCHEDULED", name="Late", message="hm"), "Late('hm', type=SCHEDULED)"),
    ],
)
def test_a_state_is_shown_by_its_name_and_message(state: State, shown: str):
    assert str(state) == shown


def test_the_representation_of_a_state_shows_its_data():
    assert (
        repr(State(type="COMPLETED", message="done", data=3)) == "Completed(message='done', type=COMPLETED, result=3)"
    )


def test_json_has_all_keys():
    document = State(type="RUNNING").model_dump(mode="json")
    assert set(document) == {
        "id", "created", "updated", "type", "name", "timestamp", "message", "state_details", "data",
    }  # fmt: skip
    assert document["timestamp"].endswith("Z")
    assert State.model_validate(document) == State.model_validate_json(State.model_validate(document).model_dump_json())


def test_results_that_were_not_persisted_are_no_data():
    assert State(type="COMPLETED", data={"type": "unpersisted"}).data is None
    assert State(type="COMPLETED", data={"type": "other"}).data == {"type": "other"}


def test_where_a_result_is_stored_stays_as_it_was_written():
    stored = {"storage_key": "a", "serializer": {"type": "pickle"}}
    assert State(type="COMPLETED", data=stored).data == stored
    assert data_discriminator(stored) == "ResultRecordMetadata"
    assert data_discriminator(3) == data_discriminator({"a": 1}) == "Any"


def test_a_copy_is_of_now():
    state = State(type="RUNNING", timestamp=datetime(2020, 1, 1, tzinfo=UTC))
    copy = state.model_copy()
    assert copy.id == state.id
    assert copy.timestamp > state.timestamp
    given = datetime(2021, 1, 1, tzinfo=UTC)
    assert state.model_copy(update={"timestamp": given}).timestamp == given


def test_a_fresh_copy_is_another_state():
    state = State(type="RUNNING", message="m", data=3, state_details=StateDetails(cache_key="k"))
    copy = state.fresh_copy()
    assert copy.id != state.id
    assert copy.created == copy.timestamp > state.timestamp
    assert (copy.type, copy.name, copy.message, copy.data) == (state.type, state.name, "m", 3)
    assert copy.state_details == state.state_details
    copy.state_details.cache_key = "other"
    assert state.state_details.cache_key == "k"
    assert state.fresh_copy(update={"name": "Again"}).name == "Again"


def test_states_of_one_moment_of_a_run_have_one_hash():
    details, now = StateDetails(flow_run_id=uuid4()), datetime.now(UTC)
    first, second = (State(type="RUNNING", timestamp=now, state_details=details) for _ in range(2))
    assert hash(first) == hash(second)
    assert first != second
    assert hash(first) != hash(first.model_copy(update={"type": StateType.PENDING, "timestamp": now}))


def test_a_state_can_be_proposed():
    state = State(type="COMPLETED", name="Fine", message="m", data={"a": 1})
    proposal = state.to_state_create()
    assert isinstance(proposal, StateCreate)
    assert proposal.model_dump(exclude_unset=True, mode="json")["name"] == "Fine"


def test_states_say_how_their_results_are_referred_to():
    details = StateDetails(flow_run_id=uuid4(), task_run_id=uuid4())
    assert details.to_run_result(RunType.FLOW_RUN) == FlowRunResult(id=details.flow_run_id)
    assert details.to_run_result(RunType.TASK_RUN) == TaskRunResult(id=details.task_run_id)
    assert StateDetails().to_run_result(RunType.TASK_RUN) is None


def test_pickles_name_the_public_module():
    state = State(type="COMPLETED", data=3)
    pickled = pickle.dumps(state)
    assert b"prefect.client.schemas.objects" in pickled
    assert b"_states" not in pickled
    assert pickle.loads(pickled) == state


def test_a_state_of_some_result_is_a_state():
    assert State[int] is State
    assert isinstance(State[int](type="COMPLETED", data=3), State)


async def test_results_are_read_in_sync_and_async_code():
    state = State(type="COMPLETED", data=3)
    assert await state.aresult() == 3
    assert await state.result(_sync=False) == 3
    assert state.result(_sync=True) == 3
    failed = State(type="FAILED", data=ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        await failed.aresult()
    assert isinstance(await failed.aresult(raise_on_failure=False), ValueError)
