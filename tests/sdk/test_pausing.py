"""Pausing, suspending, resuming, and waiting for input (SDK section 14)."""

from __future__ import annotations

import asyncio
import threading
import time
from uuid import uuid4

import pytest
from pydantic import BaseModel, ValidationError
from tests.sdk._reading import flow_run_states

from prefect import apause_flow_run, aresume_flow_run, flow, pause_flow_run, resume_flow_run, suspend_flow_run, task
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.exceptions import FlowPauseTimeout, NotPausedError, ObjectNotFound, PrefectException
from prefect.input import RunInput, send_input
from prefect.input.run_input import receive_input
from prefect.runtime import flow_run as runtime_flow_run
from prefect.states import Paused

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")


def wait_until_paused(flow_run_id) -> None:
    """Watch a run until it is paused; a test that waits in vain ends by its own timeout."""
    deadline = time.monotonic() + 20
    with get_client(sync_client=True) as client:
        while not is_paused(client, flow_run_id):
            assert time.monotonic() < deadline, "the run was never paused"
            time.sleep(0.005)


def is_paused(client, flow_run_id) -> bool:
    """Whether a run, which may not have been stored yet, is paused."""
    try:
        return client.read_flow_run(flow_run_id).state.is_paused()
    except ObjectNotFound:
        return False


class Resumer:
    """Resumes a run each time it pauses, from a thread of its own."""

    def __init__(self, *inputs) -> None:
        self.inputs = inputs
        self.refused: list[Exception] = []
        self._id = None
        self._thread = threading.Thread(target=self._resume, daemon=True)

    def start(self) -> None:
        self._id = FlowRunContext.get().flow_run.id
        self._thread.start()

    def _resume(self) -> None:
        for given in self.inputs:
            wait_until_paused(self._id)
            try:
                resume_flow_run(self._id, run_input=given)
            except (RuntimeError, PrefectException) as refusal:
                self.refused.append(refusal)

    def join(self) -> None:
        """Wait until every answer was given."""
        self._thread.join()


def test_a_paused_flow_goes_on_when_it_is_resumed():
    resumer = Resumer(None)

    @flow
    def waiting():
        resumer.start()
        pause_flow_run(timeout=20)
        return "went on"

    state = waiting(return_state=True)
    resumer.join()
    assert state.result() == "went on"
    assert flow_run_states(state.state_details.flow_run_id) == ["Pending", "Running", "Paused", "Running", "Completed"]


def test_a_task_pauses_its_flow():
    resumer = Resumer(None)

    @task
    def asking():
        pause_flow_run(timeout=20)
        return "went on"

    @flow
    def waiting():
        resumer.start()
        return asking()

    state = waiting(return_state=True)
    assert state.result() == "went on"
    assert "Paused" in flow_run_states(state.state_details.flow_run_id)


def test_plain_types_come_as_values():
    resumer = Resumer({"value": 7})

    @flow
    def asking():
        resumer.start()
        return pause_flow_run(wait_for_input=int, timeout=20)

    assert asking() == 7


def test_models_come_as_models():
    class Answer(BaseModel):
        name: str
        age: int = 5

    resumer = Resumer({"name": "Ada"})

    @flow
    def asking():
        resumer.start()
        answer = pause_flow_run(wait_for_input=Answer, timeout=20)
        assert isinstance(answer, Answer)
        return answer.name, answer.age

    assert asking() == ("Ada", 5)


def test_run_inputs_come_with_their_defaults_and_the_schema_is_stored():
    class Approval(RunInput):
        approved: bool
        reason: str

    resumer = Resumer({"approved": True})

    @flow
    def asking():
        resumer.start()
        answer = pause_flow_run(
            wait_for_input=Approval.with_initial_data(description="**Really?**", reason="none given"), timeout=20
        )
        return answer.approved, answer.reason

    state = asking(return_state=True)
    assert state.result() == (True, "none given")
    run_id = state.state_details.flow_run_id
    with get_client(sync_client=True) as client:
        paused = next(state for state in client.read_flow_run_states(run_id) if state.name == "Paused")
        keyset = paused.state_details.run_input_keyset
        assert keyset["schema"] == "paused-1-schema"
        assert keyset["response"] == "paused-1-response"
        assert client.read_flow_run_input(run_id, keyset["description"]).strip('"') == "**Really?**"
        assert "approved" in client.read_flow_run_input(run_id, keyset["schema"])


def test_input_that_does_not_fit_is_refused_and_the_run_stays_paused():
    resumer = Resumer({"value": "many"}, {"value": 3})

    @flow
    def asking():
        resumer.start()
        return pause_flow_run(wait_for_input=int, timeout=20)

    assert asking() == 3
    resumer.join()
    assert len(resumer.refused) == 1
    assert "value" in str(resumer.refused[0]) or "integer" in str(resumer.refused[0])


async def test_an_async_flow_pauses_with_input():
    @flow
    async def asking():
        id = FlowRunContext.get().flow_run.id

        async def answer():
            await asyncio.to_thread(wait_until_paused, id)
            await aresume_flow_run(id, run_input={"value": "yes"})

        answering = asyncio.ensure_future(answer())
        value = await apause_flow_run(wait_for_input=str, timeout=20)
        await answering
        return value

    assert await asking() == "yes"


def test_a_pause_whose_key_was_passed_does_not_stop_and_gives_its_input():
    resumer = Resumer({"value": 1}, {"value": 2})

    @flow
    def asking():
        resumer.start()
        return [pause_flow_run(wait_for_input=int, timeout=20, key=key) for key in ("a", "b", "a", "b", "a")]

    state = asking(return_state=True)
    assert state.result() == [1, 2, 1, 2, 1]
    assert flow_run_states(state.state_details.flow_run_id).count("Paused") == 2


async def test_an_async_pause_whose_key_was_passed_gives_its_input_too():
    @flow
    async def asking():
        id = FlowRunContext.get().flow_run.id

        async def answer():
            await asyncio.to_thread(wait_until_paused, id)
            await aresume_flow_run(id, run_input={"value": 5})

        answering = asyncio.ensure_future(answer())
        first = await apause_flow_run(wait_for_input=int, timeout=20, key="same")
        await answering
        return first, await apause_flow_run(wait_for_input=int, timeout=20, key="same")

    assert await asking() == (5, 5)


def test_a_retry_asks_anew():
    resumer = Resumer({"value": 1}, {"value": 2}, {"value": 3}, {"value": 4})
    attempts = []

    @flow(retries=1)
    def asking():
        if not attempts:
            resumer.start()
        attempts.append([pause_flow_run(wait_for_input=int, timeout=20) for _ in range(2)])
        if len(attempts) == 1:
            raise ValueError("again")

    asking()
    assert attempts == [[1, 2], [3, 4]]


def test_a_pause_that_nobody_ends_fails_the_flow():
    @flow
    def waiting():
        pause_flow_run(timeout=0.05)

    with pytest.raises(FlowPauseTimeout, match="0.05"):
        waiting()
    state = waiting(return_state=True)
    assert state.is_failed()
    assert "never resumed" in state.message
    assert flow_run_states(state.state_details.flow_run_id)[-1] == "Failed"


def test_pausing_outside_of_a_flow_says_where_it_belongs():
    with pytest.raises(RuntimeError, match="inside a flow"):
        pause_flow_run()


def test_only_paused_runs_can_be_resumed():
    @flow
    def plain(): ...

    state = plain(return_state=True)
    with pytest.raises(NotPausedError, match="COMPLETED"):
        resume_flow_run(state.state_details.flow_run_id)
    with pytest.raises(ObjectNotFound):
        resume_flow_run(uuid4())


def test_resuming_too_late_is_a_timeout():
    @flow
    def plain(): ...

    with get_client(sync_client=True) as client:
        run = client.create_flow_run(plain)
        client.set_flow_run_state(run.id, Paused(timeout_seconds=-1), force=True)
        with pytest.raises(FlowPauseTimeout):
            resume_flow_run(run.id)
        assert client.read_flow_run(run.id).state.is_failed()


def test_runs_without_a_deployment_cannot_be_suspended():
    @flow
    def waiting():
        suspend_flow_run()

    state = waiting(return_state=True)
    assert state.is_failed()
    with pytest.raises(RuntimeError, match="suspend"):
        state.result()


def test_a_task_cannot_suspend_its_flow():
    @task
    def stopping():
        suspend_flow_run()

    @flow
    def parent():
        with pytest.raises(RuntimeError, match="suspend"):
            stopping()

    parent()


def test_suspending_outside_of_a_flow_says_what_to_do():
    with pytest.raises(RuntimeError, match="flow_run_id"):
        suspend_flow_run()


def test_validation_of_the_answer_can_come_out_of_the_call():
    from pydantic import field_validator

    class Even(RunInput):
        number: int

        @field_validator("number")
        @classmethod
        def even(cls, value):
            if value % 2:
                raise ValueError("odd")
            return value

    resumer = Resumer({"number": 3})

    @flow
    def asking():
        resumer.start()
        with pytest.raises(ValidationError, match="odd"):
            pause_flow_run(wait_for_input=Even, timeout=20)

    asking()


def test_inputs_are_sent_and_received_in_order():
    @flow
    def receiving():
        id = FlowRunContext.get().flow_run.id
        for n in (1, 2):
            send_input(n, flow_run_id=id)
        send_input("text", flow_run_id=id)
        numbers = receive_input(int, timeout=0.05, poll_interval=0.01)
        texts = receive_input(str, timeout=0.05, poll_interval=0.01, with_metadata=True)
        (text,) = list(texts)
        assert text.metadata.sender == f"prefect.flow-run.{runtime_flow_run.id}"
        return list(numbers), text.value

    assert receiving() == ([1, 2], "text")
