import asyncio
import datetime
import signal
from types import SimpleNamespace
from uuid import uuid4

import httpx
import pytest

from prefect import _upcalls, states
from prefect.client.schemas.objects import State, StateDetails, StateType
from prefect.exceptions import (
    CancelledRun,
    CrashedRun,
    FailedRun,
    MissingResult,
    PausedRun,
    TerminationSignal,
    UnfinishedRun,
    UpstreamTaskError,
)
from prefect.states import (
    AwaitingConcurrencySlot,
    AwaitingRetry,
    Cancelled,
    Cancelling,
    Completed,
    Crashed,
    Failed,
    InfrastructurePending,
    Late,
    Paused,
    Pending,
    Retrying,
    Running,
    Scheduled,
    StateGroup,
    Submitting,
    Suspended,
    aget_state_exception,
    araise_state_exception,
    exception_to_crashed_state,
    exception_to_failed_state,
    format_exception,
    get_state_exception,
    get_state_result,
    is_state_iterable,
    raise_state_exception,
    return_value_to_state,
    to_state_create,
)

NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)


class Record:
    """A result record, as far as states look at one."""

    def __init__(self, result, key=None, persisted=False):
        self.result, self.metadata, self.is_persisted = result, metadata(key), persisted

    def serialize_metadata(self):
        raise NotImplementedError


def metadata(key):
    return {"storage_key": key or uuid4().hex, "serializer": {"type": "json"}}


class Store:
    """A result store that writes to a dictionary."""

    def __init__(self, broken=False):
        self.written, self.broken = {}, broken

    def create_result_record(self, obj, key=None, expiration=None):
        return Record(obj, key)

    async def apersist_result_record(self, record):
        if self.broken:
            raise OSError("disk full")
        self.written[record.metadata["storage_key"]] = record.result
        record.is_persisted = True


# -- constructors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "type_", "name"),
    [
        (Scheduled, "SCHEDULED", "Scheduled"),
        (Pending, "PENDING", "Pending"),
        (Running, "RUNNING", "Running"),
        (Completed, "COMPLETED", "Completed"),
        (Failed, "FAILED", "Failed"),
        (Crashed, "CRASHED", "Crashed"),
        (Cancelling, "CANCELLING", "Cancelling"),
        (Cancelled, "CANCELLED", "Cancelled"),
        (Paused, "PAUSED", "Paused"),
        (Suspended, "PAUSED", "Suspended"),
        (AwaitingRetry, "SCHEDULED", "AwaitingRetry"),
        (AwaitingConcurrencySlot, "SCHEDULED", "AwaitingConcurrencySlot"),
        (Late, "SCHEDULED", "Late"),
        (Submitting, "PENDING", "Submitting"),
        (InfrastructurePending, "PENDING", "InfrastructurePending"),
        (Retrying, "RUNNING", "Retrying"),
    ],
)
def test_constructors_make_their_type_and_name(make, type_, name):
    state = make(message="why", data=3)
    assert (state.type.value, state.name, state.message, state.data) == (type_, name, "why", 3)
    assert make(name="Mine").name == "Mine"


def test_a_scheduled_state_has_a_time_now_by_default():
    before = datetime.datetime.now(datetime.timezone.utc)
    assert Scheduled().state_details.scheduled_time >= before
    assert Late(scheduled_time=NOW).state_details.scheduled_time == NOW
    assert Scheduled(state_details={"scheduled_time": NOW}).state_details.scheduled_time == NOW
    with pytest.raises(ValueError, match="both given"):
        Scheduled(scheduled_time=NOW, state_details=StateDetails(scheduled_time=NOW))


def test_a_pause_ends_after_seconds_or_at_an_instant_or_never():
    before = datetime.datetime.now(datetime.timezone.utc)
    limited = Paused(timeout_seconds=30, pause_key="k", reschedule=True).state_details
    assert limited.pause_timeout - before >= datetime.timedelta(seconds=30)
    assert (limited.pause_key, limited.pause_reschedule) == ("k", True)
    assert Paused(pause_expiration_time=NOW).state_details.pause_timeout == NOW
    assert Paused().state_details.pause_timeout is None
    assert Suspended().state_details.pause_reschedule is True
    with pytest.raises(ValueError, match="both given"):
        Paused(timeout_seconds=1, pause_expiration_time=NOW)


def test_a_pause_keeps_other_details():
    id = uuid4()
    assert Paused(timeout_seconds=3, state_details=StateDetails(flow_run_id=id)).state_details.flow_run_id == id


def test_constructors_make_subclasses_too():
    class MyState(State):
        pass

    assert type(Completed(cls=MyState)) is type(Suspended(MyState)) is MyState


def test_only_stored_results_travel_with_a_proposal():
    assert to_state_create(Completed(message="m", data=5)).data is None
    assert to_state_create(Completed(data=Record(5))).data is None
    stored = Record(5, key="here", persisted=True)
    assert to_state_create(Completed(data=stored)).data["storage_key"] == "here"
    proposal = to_state_create(Scheduled(name="Later", message="m", scheduled_time=NOW))
    assert (proposal.type, proposal.name, proposal.message) == (StateType.SCHEDULED, "Later", "m")
    assert proposal.state_details.scheduled_time == NOW


# -- exceptions to states ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("hello"), "ValueError: hello"),
        (ValueError(), "ValueError: "),
        (UpstreamTaskError("u"), "UpstreamTaskError: u"),
        (httpx.ReadTimeout("slow"), "ReadTimeout: slow"),
    ],
)
def test_an_exception_is_described_by_its_name_and_text(error, text):
    assert format_exception(error) == text


def test_an_exception_without_a_text_of_its_own_can_be_described():
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    assert format_exception(Mute()) == "Mute: <text not available: its __str__ raised RuntimeError>"


def test_a_description_with_a_traceback_shows_the_causes():
    try:
        try:
            raise KeyError("k")
        except KeyError as cause:
            raise ValueError("outer") from cause
    except ValueError as error:
        text = format_exception(error, error.__traceback__)
    assert "KeyError: 'k'" in text and text.endswith("ValueError: outer\n")


async def test_a_failure_carries_the_exception_and_is_not_retriable():
    error = ValueError("v")
    state = await exception_to_failed_state(error, message="Task failed:", name="TimedOut")
    assert (state.type, state.name, state.message) == (StateType.FAILED, "TimedOut", "Task failed: ValueError: v")
    assert state.data is error
    assert state.state_details.retriable is False


async def test_a_failure_takes_the_exception_being_handled():
    with pytest.raises(ValueError, match="no active exception"):
        await exception_to_failed_state()
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        state = await exception_to_failed_state()
    assert state.message == "ZeroDivisionError: division by zero"


async def test_a_failure_is_stored_only_when_asked():
    store, error = Store(), ValueError("v")
    kept = await exception_to_failed_state(error, result_store=store)
    assert kept.data.result is error and not store.written
    await exception_to_failed_state(error, result_store=store, write_result=True)
    assert list(store.written.values()) == [error]


class Odd(BaseException):
    pass


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyboardInterrupt(), "Execution was aborted by an interrupt signal."),
        (SystemExit(3), "Execution was aborted by Python system exit call."),
        (TerminationSignal(signal=signal.SIGTERM), "Execution was aborted by a termination signal."),
        (asyncio.CancelledError(), "Execution was cancelled by the runtime environment."),
        (
            httpx.ConnectError("refused", request=httpx.Request("GET", "http://x/y")),
            "Request to http://x/y failed: ConnectError: refused.",
        ),
        (httpx.ConnectError("c"), "Request failed while attempting to contact the server: ConnectError: c"),
        (Odd("t"), "Execution was interrupted by an unexpected exception: Odd: t"),
        (ValueError("v"), "Execution was interrupted by an unexpected exception: ValueError: v"),
    ],
)
async def test_a_crash_says_what_ended_the_run(error, message):
    state = await exception_to_crashed_state(error)
    assert (state.type, state.message, state.data) == (StateType.CRASHED, message, error)


# -- return values to states ------------------------------------------------------------------------------------------


def of_a_run(state: State) -> State:
    state.state_details = StateDetails(flow_run_id=uuid4())
    return state


@pytest.mark.parametrize("value", [5, None, {"a": Failed()}, [Failed(), 3], [], ValueError("a value")])
async def test_a_plain_value_completes_the_run(value):
    state = await return_value_to_state(value, Store())
    assert (state.type, state.message) == (StateType.COMPLETED, None)
    assert state.data.result is value


async def test_a_state_made_by_hand_is_the_final_state():
    for made in (Completed(name="Skipped", message="m", data=3), Failed(data=ValueError("q")), Running()):
        value = made.data
        state = await return_value_to_state(made, Store())
        assert state is made
        assert state.data.result is value


@pytest.mark.parametrize(
    ("members", "type_", "message"),
    [
        ([Completed(), Completed()], "COMPLETED", "All states completed."),
        ((Completed(), Failed()), "FAILED", "1/2 states failed."),
        ([Crashed(), Failed(), Completed()], "FAILED", "2/3 states failed."),
        ([Failed(), Cancelled()], "CANCELLED", "1/2 states cancelled."),
        ([Paused(), Failed()], "PAUSED", "1/2 states paused."),
        ([Running(), Completed(), Pending()], "FAILED", "2/3 states are not final."),
        (of_a_run(Completed()), "COMPLETED", "All states completed."),
        (of_a_run(Failed()), "FAILED", "1/1 states failed."),
        ({Completed()}, "COMPLETED", "All states completed."),
    ],
)
async def test_states_of_runs_decide_together(members, type_, message):
    state = await return_value_to_state(members, Store())
    assert (state.type.value, state.message) == (type_, message)
    assert state.data.result is members


async def test_a_returned_generator_is_stored_as_a_list():
    state = await return_value_to_state((n * n for n in range(3)), Store())
    assert state.data.result == [0, 1, 4]


async def test_a_result_is_written_under_its_key_when_asked():
    store = Store()
    await return_value_to_state(5, store, key="five")
    assert store.written == {}
    await return_value_to_state(5, store, key="five", write_result=True)
    assert store.written == {"five": 5}


async def test_a_result_that_cannot_be_written_completes_the_run_with_a_warning(caplog):
    state = await return_value_to_state(5, Store(broken=True), write_result=True)
    assert state.is_completed() and state.data.result == 5
    assert "disk full" in caplog.text


# -- states to values -------------------------------------------------------------------------------------------------


def test_the_result_of_a_completed_run_is_its_data():
    assert Completed(data=4).result() == 4
    assert Completed(data=Record(None)).result() is None


async def test_the_result_can_be_awaited():
    assert await get_state_result(Completed(data=4)) == 4
    assert await Completed(data=4).aresult() == 4
    assert await Completed(data=4).result() == 4
    assert str(await get_state_result(Failed(message="z"), raise_on_failure=False)) == "z"
    with pytest.raises(FailedRun, match="z"):
        await get_state_result(Failed(message="z"))


@pytest.mark.parametrize(
    ("state", "error", "text"),
    [
        (Pending(), UnfinishedRun, "Run is in PENDING state, its result is not available."),
        (Scheduled(), UnfinishedRun, "SCHEDULED"),
        (Cancelling(), UnfinishedRun, "CANCELLING"),
        (Paused(), PausedRun, "Run is paused"),
        (Completed(), MissingResult, "persist_result=True"),
        (Failed(message="z"), FailedRun, "z"),
    ],
)
def test_a_state_without_a_result_says_why(state, error, text):
    with pytest.raises(error, match=text) as caught:
        state.result()
    if error is PausedRun:
        assert caught.value.state is state
    if error is not FailedRun:
        with pytest.raises(error):
            state.result(raise_on_failure=False)


def test_the_exception_of_a_failed_run_is_raised_or_returned():
    error = KeyError("k")
    with pytest.raises(KeyError) as caught:
        Failed(data=error).result()
    assert caught.value is error
    assert Failed(data=Record(error)).result(raise_on_failure=False) is error


def test_a_runs_stop_iteration_comes_through():
    with pytest.raises(StopIteration):
        Failed(data=StopIteration(1)).result()


@pytest.mark.parametrize(
    ("make", "wrapper", "default"),
    [
        (Failed, FailedRun, "Run failed."),
        (Crashed, CrashedRun, "Run crashed."),
        (Cancelled, CancelledRun, "Run cancelled."),
    ],
)
def test_the_exception_of_a_state_is_made_of_what_it_holds(make, wrapper, default):
    error = ValueError("x")
    assert get_state_exception(make(data=error)) is error
    for state, text in (
        (make(), default),
        (make(message="msg"), "msg"),
        (make(data="text"), "text"),
        (make(data=Record(None), message="msg"), "msg"),
    ):
        found = get_state_exception(state)
        assert type(found) is wrapper and str(found) == text
    assert str(get_state_exception(make(data=Failed(message="inner")))) == "inner"
    first = get_state_exception(make(data=[Completed(), Crashed(message="c"), Failed(data=error)]))
    assert type(first) is CrashedRun


def test_what_stands_for_no_exception_is_refused():
    with pytest.raises(ValueError, match="got Completed"):
        get_state_exception(Completed())
    with pytest.raises(ValueError, match="none of them failed"):
        get_state_exception(Failed(data=[Completed()]))
    for data in (5, [], [1], {"a": 1}):
        with pytest.raises(TypeError, match=type(data).__name__):
            get_state_exception(Failed(data=data))


async def test_raising_does_nothing_for_a_run_that_did_not_fail():
    for state in (Completed(), Running(), Paused()):
        await raise_state_exception(state)
        assert await araise_state_exception(state) is None
    with pytest.raises(FailedRun, match="no"):
        await raise_state_exception(Failed(message="no"))
    assert str(await aget_state_exception(Failed(message="no"))) == "no"


def test_raising_works_where_nothing_can_be_awaited():
    raise_state_exception(Completed())
    with pytest.raises(CrashedRun, match="boom"):
        raise_state_exception(Crashed(message="boom"))


@pytest.fixture
def storage(monkeypatch):
    """Stored results by key; a key is missing for as many reads as `absent` says."""
    stored = SimpleNamespace(values={}, absent={}, reads=0, sleeps=[])

    def read(data):
        stored.reads += 1
        key = data["storage_key"]
        if stored.absent.get(key, 0) > 0:
            stored.absent[key] -= 1
            raise FileNotFoundError(key)
        return Record(stored.values[key])

    async def aread(data):
        return read(data)

    monkeypatch.setitem(_upcalls._resolved, "read_result_record", read)
    monkeypatch.setitem(_upcalls._resolved, "aread_result_record", aread)
    monkeypatch.setattr("prefect._plans.time.sleep", stored.sleeps.append)
    return stored


def test_a_stored_result_is_read_and_waited_for(storage):
    storage.values["k"], storage.absent["k"] = 42, 3
    assert Completed(data=metadata("k")).result() == 42
    assert storage.sleeps == [states.RESULT_READ_RETRY_DELAY] * 3


def test_a_stored_result_that_does_not_come_is_given_up(storage):
    storage.values["k"], storage.absent["k"] = 42, 100
    with pytest.raises(FileNotFoundError):
        Completed(data=metadata("k")).result()
    assert storage.reads == states.RESULT_READ_MAXIMUM_ATTEMPTS
    storage.reads = 0
    with pytest.raises(FileNotFoundError):
        Completed(data=metadata("k")).result(retry_result_failure=False)
    assert storage.reads == 1


async def test_a_stored_exception_is_raised(storage):
    storage.values["k"] = ValueError("stored")
    with pytest.raises(ValueError, match="stored"):
        await Failed(data=metadata("k")).aresult()


# -- groups -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([Completed()], True),
        ((Completed(), Failed()), True),
        ({Completed()}, True),
        ([], False),
        ([Completed(), 1], False),
        ({"a": Completed()}, False),
        (iter([Completed()]), False),
        (Completed(), False),
    ],
)
def test_only_lists_sets_and_tuples_of_states_count_as_states(value, expected):
    assert is_state_iterable(value) is expected


def test_a_group_counts_its_states():
    group = StateGroup([Crashed(), Failed(), Pending(), Paused(), Cancelled(), Completed(), Completed()])
    assert (group.fail_count, group.total_count, group.final_count, group.not_final_count) == (2, 7, 5, 2)
    assert (group.cancelled_count, group.paused_count) == (1, 1)
    assert group.any_failed() and group.any_cancelled() and group.any_paused()
    assert not group.all_completed() and not group.all_final()
    assert StateGroup([Completed()]).all_completed() and StateGroup([Completed()]).all_final()


def test_a_group_describes_its_counts():
    assert StateGroup([Crashed(), Failed(), Pending()]).counts_message() == (
        "total=3, not_final=1, 'CRASHED'=1, 'FAILED'=1, 'PENDING'=1"
    )
    assert StateGroup([Completed(), Completed()]).counts_message() == "total=2, 'COMPLETED'=2"
