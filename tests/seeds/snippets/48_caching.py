from prefect import task
from prefect.tasks import task_input_hash, exponential_backoff
from datetime import timedelta

@task(
    cache_key_fn=task_input_hash,
    cache_expiration=timedelta(hours=1)
)
def cached_computation(x, y):
    """Task with input-based caching."""
    # Expensive computation
    return x ** y

# Custom retry with exponential backoff
@task(
    retries=5,
    retry_delay_seconds=list(exponential_backoff(2.0))[:5]
)
def api_with_backoff():
    """Task with exponential backoff retry."""
    # API call that might need retries
    pass
