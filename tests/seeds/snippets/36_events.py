# Source: https://docs.prefect.io/v3/automate/events/automations-triggers
from prefect import flow, task
from prefect.events import emit_event

@task
def monitor_metrics(threshold: float = 0.9):
    """Monitor system metrics and emit events."""
    cpu_usage = get_cpu_usage()  # Your monitoring logic
    
    if cpu_usage > threshold:
        emit_event(
            event="high-cpu-usage",
            resource={"prefect.resource.id": "system-monitor"},
            attributes={"cpu_usage": cpu_usage}
        )

@flow
def monitoring_flow():
    monitor_metrics()
    
# Automation trigger configuration (via UI or API):
# When: event "high-cpu-usage" occurs
# Then: run scale_resources flow with parameters
