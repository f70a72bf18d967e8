# Prefect 2.x / 3.x — decorator-first
from prefect import flow, task

@task
def extract(): return [1, 2, 3]

@task
def transform(xs): return [x * 2 for x in xs]

@flow(name="etl")
def etl():
    raw = extract()
    return transform(raw)

etl()
