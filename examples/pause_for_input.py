"""A flow that stops and asks a person, and goes on with the answer.

The question is a model: what comes back is checked against it. Here a thread plays the person; in life that is
`prefect.flow_runs.resume_flow_run`, the API or the UI.

Run it with `python examples/pause_for_input.py`.
"""

import threading
import time

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.flow_runs import pause_flow_run, resume_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run


class Approval(RunInput):
    """May it be published?"""

    approved: bool
    reason: str = ""


@task
def publish(text: str) -> str:
    """What must not happen without an approval."""
    return f"published {text!r}"


@flow
def publish_if_approved(text: str) -> str:
    """Ask, then act on the answer."""
    threading.Thread(target=answer, args=(flow_run.get_id(),)).start()
    approval = pause_flow_run(wait_for_input=Approval.with_initial_data(approved=False), timeout=60, poll_interval=1)
    if not approval.approved:
        return f"not published: {approval.reason}"
    return publish(text)


def answer(flow_run_id: str) -> None:
    """Wait until the run is paused, then approve."""
    with get_client(sync_client=True) as client:
        while not client.read_flow_run(flow_run_id).state.is_paused():
            time.sleep(0.05)
    resume_flow_run(flow_run_id, run_input={"approved": True, "reason": "well written"})


if __name__ == "__main__":
    print(publish_if_approved("the news"))
