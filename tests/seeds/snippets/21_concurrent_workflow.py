import time
from prefect import flow, task
from prefect.futures import wait

@task
def slow_task(item: int) -> int:
    """Simulate a slow operation."""
    time.sleep(1)
    return item * 2

@task
def combine_results(a: int, b: int) -> int:
    """Combine two results."""
    return a + b

@flow
def concurrent_workflow():
    # Submit individual tasks for concurrent execution
    future_a = slow_task.submit(5)
    future_b = slow_task.submit(10)

    # Tasks run concurrently - total time ~1 second, not 2
    result = combine_results(future_a.result(), future_b.result())
    print(f"Combined result: {result}")

    # Map over a collection for bulk concurrent processing
    items = [1, 2, 3, 4, 5]
    mapped_futures = slow_task.map(items)

    # Wait for all futures to complete
    done, not_done = wait(mapped_futures)

    # Collect results
    mapped_results = [f.result() for f in done]
    print(f"Mapped results: {mapped_results}")

    return result, mapped_results

if __name__ == "__main__":
    concurrent_workflow()
