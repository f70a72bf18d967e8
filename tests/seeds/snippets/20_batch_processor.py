from prefect import flow, task
from prefect.cache_policies import INPUTS
from datetime import timedelta

@task(
    retries=4,
    retry_delay_seconds=[1, 2, 4, 8],  # Exponential backoff
    cache_policy=INPUTS,
    cache_expiration=timedelta(hours=1),
    log_prints=True
)
def process_record(record_id: int) -> dict:
    """Process a single record with caching and retries."""
    print(f"Processing record {record_id}")
    # Simulate processing
    return {"id": record_id, "status": "processed"}

@task
def aggregate_results(results: list[dict]) -> dict:
    """Aggregate all processed results."""
    return {
        "total": len(results),
        "processed": [r["id"] for r in results]
    }

@flow
def batch_processor(record_ids: list[int]) -> dict:
    # Process records concurrently using .map()
    futures = process_record.map(record_ids)
    results = [f.result() for f in futures]
    return aggregate_results(results)

if __name__ == "__main__":
    summary = batch_processor([1, 2, 3, 4, 5])
    print(summary)
