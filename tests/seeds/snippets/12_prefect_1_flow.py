# Prefect 1.x — explicit Flow construction
from prefect import Flow, task

@task
def extract(): return [1, 2, 3]

@task
def transform(xs): return [x * 2 for x in xs]

with Flow("etl") as flow:
    raw = extract()
    out = transform(raw)

flow.register("default")
