# Source: https://github.com/PrefectHQ/prefect-recipes/database-blocks
from prefect import flow, task
from prefect_sqlalchemy import SqlAlchemyConnector

@task
def extract_data(block_name: str, query: str) -> list:
    with SqlAlchemyConnector.load(block_name) as conn:
        result = conn.fetch_all(query)
        return result

@flow
def etl_pipeline():
    # Load from source database
    source_data = extract_data(
        "source-db",
        "SELECT * FROM orders WHERE created_at > '2024-01-01'"
    )
    
    # Transform and load to destination
    transformed = transform_data(source_data)
    load_data("dest-db", transformed)
