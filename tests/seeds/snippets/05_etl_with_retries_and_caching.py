from datetime import timedelta
from prefect import flow, task
from prefect.tasks import task_input_hash

@task(retries=3, retry_delay_seconds=[10, 30, 60],
      cache_key_fn=task_input_hash, cache_expiration=timedelta(hours=1))
def extract(source: str) -> list[dict]:
    import httpx
    return httpx.get(source, timeout=30).json()

@task
def transform(records: list[dict]) -> list[dict]:
    return [{"id": r["id"], "name": r["name"].title()} for r in records]

@task(retries=2)
def load(records: list[dict], table: str) -> int:
    # ... INSERT into table ...
    return len(records)

@flow(name="user-sync", log_prints=True)
def user_sync(source: str = "https://api.example.com/users",
              table: str = "users"):
    raw = extract(source)
    clean = transform(raw)
    return load(clean, table)

if __name__ == "__main__":
    user_sync()
