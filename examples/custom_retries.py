"""Retries by reason: some errors pass, others never will.

A condition sees the failed state and decides; delays double, spread by chance so that many clients do not come back at once.

Run it with `python examples/custom_retries.py`.
"""

from prefect import flow, task
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

ANSWERS = {"/report": [503, 503, 200], "/secret": [401]}


class ServiceError(Exception):
    """The service answered with an error."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


def may_pass(task: Task, task_run: TaskRun, state: State) -> bool:
    """Try again unless the service said that it will not help."""
    error = state.result(raise_on_failure=False)
    return not (isinstance(error, ServiceError) and error.status in {401, 404})


@task(
    retries=5,
    retry_delay_seconds=exponential_backoff(backoff_factor=0.05),
    retry_jitter_factor=0.5,
    retry_condition_fn=may_pass,
)
def ask(path: str) -> str:
    """Ask a service that has its moods."""
    status = ANSWERS[path].pop(0)
    if status != 200:
        raise ServiceError(status)
    return f"{path} answered"


@flow
def ask_both() -> list[str]:
    """The report comes at the third attempt; the secret is asked for once."""
    answers = []
    for path in list(ANSWERS):
        state = ask(path, return_state=True)
        answers.append(state.result() if state.is_completed() else f"{path}: {state.name}, {state.message}")
    return answers


if __name__ == "__main__":
    print("\n".join(ask_both()))
