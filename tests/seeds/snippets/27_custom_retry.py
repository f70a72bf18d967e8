import httpx
from prefect import flow, task
from prefect.tasks import exponential_backoff

def should_retry(task, task_run, state) -> bool:
    """Custom retry condition - don't retry on auth errors."""
    try:
        state.result()
    except httpx.HTTPStatusError as exc:
        # Don't retry on 401 Unauthorized or 404 Not Found
        return exc.response.status_code not in [401, 404]
    except httpx.ConnectError:
        return True  # Retry connection errors
    return True

@task(
    retries=5,
    retry_delay_seconds=exponential_backoff(backoff_factor=2),
    retry_jitter_factor=0.5,  # Add randomness to prevent thundering herd
    retry_condition_fn=should_retry
)
def resilient_api_call(endpoint: str) -> dict:
    """API call with sophisticated retry handling."""
    response = httpx.get(endpoint, timeout=30)
    response.raise_for_status()
    return response.json()

@flow
def api_workflow():
    # Will retry with delays: ~2s, ~4s, ~8s, ~16s, ~32s (plus jitter)
    data = resilient_api_call("https://api.example.com/data")
    return data
