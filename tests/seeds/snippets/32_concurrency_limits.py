from prefect import flow, task
from prefect.concurrency.sync import concurrency
from prefect.client.schemas.objects import ConcurrencyLimitConfig

@task
def rate_limited_api_call(item_id: int) -> dict:
    """API call with global concurrency limit."""
    # Limit to 5 concurrent calls across all runs
    with concurrency("api-rate-limit", occupy=1):
        import httpx
        response = httpx.get(f"https://api.example.com/items/{item_id}")
        return response.json()

@flow
def rate_limited_pipeline(item_ids: list[int]):
    """Pipeline respecting rate limits."""
    results = []
    for item_id in item_ids:
        result = rate_limited_api_call(item_id)
        results.append(result)
    return results

# Deploy with deployment-level concurrency limit
rate_limited_pipeline.deploy(
    name="rate-limited-deployment",
    work_pool_name="default",
    concurrency_limit=ConcurrencyLimitConfig(
        limit=3,  # Max 3 concurrent runs of this deployment
        collision_strategy="ENQUEUE"  # Queue new runs instead of canceling
    )
)
