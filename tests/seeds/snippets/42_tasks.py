from prefect import flow, task
from prefect.tasks import task_input_hash
from datetime import timedelta

# Basic task
@task
def process_data(data):
    """Simple task example."""
    return data * 2

# Task with caching
@task(
    cache_key_fn=task_input_hash,
    cache_expiration=timedelta(hours=1),
    retries=3,
    retry_delay_seconds=30
)
def expensive_computation(input_value):
    """Task with caching and retry configuration."""
    # Expensive computation here
    return input_value ** 2

# Task with custom retry condition
def should_retry(task, task_run, state):
    """Custom retry condition function."""
    return "timeout" in state.message.lower() if state.message else False

@task(
    retries=5,
    retry_condition_fn=should_retry,
    timeout_seconds=300,
    tags=["api", "external"]
)
def api_call(endpoint: str):
    """Task with custom retry logic for API calls."""
    # API call logic here
    pass

# Using tasks in a flow
@flow
def workflow():
    data = process_data(10)
    result = expensive_computation(data)
    return result
