"""The recorder: takes task-run transitions, logs and events off the hot path and stores them in batches.

Everything is delivered at least once, stored once (ids are the keys), bounded in memory, and durable when a flow
returns. `get_recorder()` is the one of this process for the active API.
"""

from prefect._recorder._recorder import Recorder, flush_recorder, flush_recorders, get_recorder, use_recorder
from prefect._recorder._records import RelatedSet, StateRecord, TaskRunRecord

__all__ = [
    "Recorder",
    "RelatedSet",
    "StateRecord",
    "TaskRunRecord",
    "flush_recorder",
    "flush_recorders",
    "get_recorder",
    "use_recorder",
]
