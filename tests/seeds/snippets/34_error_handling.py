# Source: https://docs.prefect.io/v3/develop/task-runners
from prefect import flow, task
from prefect.futures import as_completed
import asyncio

@task
def process_item(item: int) -> int:
    if item == 5:
        raise ValueError(f"Failed processing {item}")
    return item * 2

@flow
def concurrent_processing():
    # Submit tasks concurrently
    futures = [process_item.submit(i) for i in range(10)]
    
    # Process results as they complete
    results = []
    for future in as_completed(futures):
        try:
            result = future.result()
            results.append(result)
        except Exception as e:
            print(f"Task failed: {e}")
    
    return results
