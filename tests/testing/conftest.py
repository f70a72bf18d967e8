"""The fixtures that `prefect.testing` offers, as other projects take them."""

from prefect.testing.fixtures import (
    add_prefect_loggers_to_caplog,
    asserting_events_worker,
    enable_ephemeral_server,
    reset_worker_events,
)

__all__ = ["add_prefect_loggers_to_caplog", "asserting_events_worker", "enable_ephemeral_server", "reset_worker_events"]
