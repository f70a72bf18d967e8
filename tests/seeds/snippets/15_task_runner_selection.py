from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner, ConcurrentTaskRunner
from prefect_dask import DaskTaskRunner
from prefect_ray import RayTaskRunner

@flow(task_runner=ConcurrentTaskRunner())          # async / coroutine
def f1(): ...

@flow(task_runner=ThreadPoolTaskRunner(max_workers=10))   # I/O-bound threads
def f2(): ...

@flow(task_runner=DaskTaskRunner())                # CPU-bound distributed
def f3(): ...
