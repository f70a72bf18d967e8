import asyncio
from prefect.deployments import run_deployment

async def trigger_pipeline():
    """Trigger a deployment and wait for completion."""
    # Run a deployment with custom parameters
    flow_run = await run_deployment(
        name="etl-pipeline/daily-etl",
        parameters={
            "source": "staging-api",
            "destination": "staging-warehouse"
        },
        timeout=0  # Don't wait for completion
    )
    print(f"Started flow run: {flow_run.id}")
    return flow_run

# Synchronous alternative
from prefect.deployments import run_deployment

flow_run = run_deployment(
    name="etl-pipeline/daily-etl",
    parameters={"source": "test"},
    tags=["manual-trigger"]
)
print(f"Flow run ID: {flow_run.id}")
