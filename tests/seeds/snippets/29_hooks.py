from prefect import flow, task
from prefect.states import State

def on_failure(flow, flow_run, state: State):
    """Send alert when flow fails."""
    print(f"Flow {flow.name} failed!")
    print(f"Error: {state.message}")
    # Send notification via Slack, email, etc.

def on_completion(flow, flow_run, state: State):
    """Log success metrics."""
    print(f"Flow {flow.name} completed successfully")
    print(f"Duration: {flow_run.total_run_time}")

@flow(
    on_failure=[on_failure],
    on_completion=[on_completion]
)
def monitored_pipeline():
    """Pipeline with state change hooks."""
    result = process_data()
    return result

@task
def process_data():
    return {"processed": True}
