from prefect import flow, task

@task
def extract_data(source: str) -> list:
    """Extract data from source."""
    print(f"Extracting from {source}")
    return [{"id": i, "value": i * 10} for i in range(5)]

@task
def transform_data(data: list) -> list:
    """Transform extracted data."""
    return [{"id": d["id"], "value": d["value"] * 2} for d in data]

@task
def load_data(data: list, destination: str) -> int:
    """Load data to destination."""
    print(f"Loading {len(data)} records to {destination}")
    return len(data)

@flow(log_prints=True)
def etl_pipeline(source: str = "api", destination: str = "warehouse") -> int:
    """Complete ETL pipeline."""
    raw_data = extract_data(source)
    transformed = transform_data(raw_data)
    count = load_data(transformed, destination)
    return count

if __name__ == "__main__":
    # Serve the flow with a cron schedule (runs every day at 8 AM)
    etl_pipeline.serve(
        name="daily-etl",
        cron="0 8 * * *",
        parameters={"source": "production-api", "destination": "data-warehouse"},
        tags=["etl", "production"]
    )
