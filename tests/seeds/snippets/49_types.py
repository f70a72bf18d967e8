from typing import Callable, List, Optional, Union, Any, Iterable, Generic, TypeVar
from datetime import timedelta
P = TypeVar("P") # Parameters
R = TypeVar("R") # Return type

# Hook types
FlowStateHook = Callable[[Flow, FlowRun, State], None]
StateHookCallable = Callable[[Task, TaskRun, State], None]
RetryConditionCallable = Callable[[Task, TaskRun, State], bool]

# Task runner interface
class TaskRunner:
    """Base class for task execution backends."""
    pass

# Configuration types
class ResultStorage:
    """Result storage interface."""
    pass

class ResultSerializer:
    """Result serialization interface."""
    pass

# Task options type
class TaskOptions(TypedDict, total=False):
    name: Optional[str]
    description: Optional[str]
    tags: Optional[Iterable[str]]
    version: Optional[str]
    cache_key_fn: Optional[Callable[..., str]]
    cache_expiration: Optional[timedelta]
    retries: Optional[int]
    retry_delay_seconds: Optional[Union[int, float]]
    retry_condition_fn: Optional[RetryConditionCallable]
    timeout_seconds: Optional[Union[int, float]]
