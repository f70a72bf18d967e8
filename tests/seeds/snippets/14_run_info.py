# 2.x — accessing task run info
from prefect import context
task_id = context.task_run_id

# 3.x
from prefect.runtime import task_run
task_id = task_run.id
