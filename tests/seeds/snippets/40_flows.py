from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

# Basic flow
@flow
def my_workflow():
    """Simple workflow example."""
    return "Hello, Prefect!"

# Flow with configuration
@flow(
    name="Data Processing Pipeline",
    description="Process incoming data files",
    version="1.0.0",
    retries=3,
    retry_delay_seconds=60,
    task_runner=ThreadPoolTaskRunner(max_workers=4),
    timeout_seconds=3600
)
def data_pipeline(file_path: str):
    """Data processing workflow with retry and timeout configuration."""
    # Workflow logic here
    pass

# Flow with hooks
@flow(
    on_completion=[lambda flow, flow_run, state: print("Flow completed!")],
    on_failure=[lambda flow, flow_run, state: print("Flow failed!")],
)
def monitored_flow():
    """Flow with state change hooks for monitoring."""
    pass
