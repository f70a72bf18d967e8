from prefect import flow, task
from prefect.task_runners import ConcurrentTaskRunner

@task
def fetch_one(url: str) -> dict:
    import httpx
    return httpx.get(url, timeout=30).json()

@flow(task_runner=ConcurrentTaskRunner())
def fetch_many(urls: list[str]) -> list[dict]:
    futures = fetch_one.map(urls)
    return [f.result() for f in futures]
