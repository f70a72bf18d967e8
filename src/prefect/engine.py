"""`python -m prefect.engine [FLOW_RUN_ID [-]]`: loads and runs one flow run; how runners start runs in processes.

With `-` the flow is not loaded, but read from stdin, as `prefect._loading.shipping` has packed it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from uuid import UUID

from prefect._compat.moves import old_names
from prefect._engine import supervision
from prefect.exceptions import Abort, Pause, TerminationSignal
from prefect.logging.loggers import get_logger

logger = get_logger("engine")


@contextmanager
def handle_engine_signals(flow_run_id: UUID | None = None) -> Generator[None, None, None]:
    """End the process as its supervisor expects it, by how the run inside the block ended.

    Exit code 0 after an abort, a pause, or an end that its supervisor has ordered, 1 after an unexpected exception; a
    termination signal is passed on.

    Args:
        flow_run_id: Named in log messages.
    """
    what = f"flow run {str(flow_run_id)!r}" if flow_run_id else "run"
    try:
        yield
    except Abort as error:
        logger.info("Execution of %s was aborted by the API: %s", what, error)
        sys.exit(0)
    except Pause:
        logger.info("Execution of %s is paused; it goes on when the run is resumed.", what)
        sys.exit(0)
    except TerminationSignal as error:
        if supervision.order() is not None:
            sys.exit(0)
        logger.info("Execution of %s was ended by signal %s.", what, error.signal)
        signal.signal(error.signal, signal.SIG_DFL)
        os.kill(os.getpid(), error.signal)
    except Exception:
        logger.exception("Execution of %s ended with an exception.", what)
        sys.exit(1)
    except BaseException as error:
        logger.error("Execution of %s was interrupted: %r", what, error)
        # What interrupted it decides how the process ends.
        raise


def _flow_run_id(arguments: list[str]) -> UUID:
    given = arguments[0] if arguments else os.environ.get("PREFECT__FLOW_RUN_ID", "")
    try:
        return UUID(given)
    except ValueError:
        print(
            f"{given!r} is not the id of a flow run. Use `python -m prefect.engine FLOW_RUN_ID`, or set PREFECT__FLOW_RUN_ID.",
            file=sys.stderr,
        )
        sys.exit(1)


def main(arguments: list[str]) -> None:
    """Run the flow run that the arguments or `PREFECT__FLOW_RUN_ID` name."""
    flow_run_id = _flow_run_id(arguments)
    os.environ.setdefault("PREFECT__FLOW_RUN_ID", str(flow_run_id))
    # Before anything of the user's is loaded, which must not find the way to the supervisor.
    supervision.connect(flow_run_id)
    # A bad id must be told without loading the engine.
    from prefect._loading.execution import run_flow_run, run_shipped_flow_run  # noqa: PLC0415

    with handle_engine_signals(flow_run_id):
        if arguments[1:] == ["-"]:
            went_well = run_shipped_flow_run(flow_run_id, sys.stdin.buffer.read())
        else:
            went_well = run_flow_run(flow_run_id)
    if not went_well:
        sys.exit(1)


__getattr__ = old_names(
    __name__,
    moved={
        "pause_flow_run": "prefect.flow_runs:pause_flow_run",
        "resume_flow_run": "prefect.flow_runs:resume_flow_run",
        "suspend_flow_run": "prefect.flow_runs:suspend_flow_run",
    },
    removed={
        "_in_process_pause": "`prefect.flow_runs.pause_flow_run`",
        "_out_of_process_pause": "`prefect.flow_runs.pause_flow_run`",
    },
)


if __name__ == "__main__":
    main(sys.argv[1:])
