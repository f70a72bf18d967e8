import asyncio
from prefect.client.orchestration import get_client

async def list_recent_flows():
    """List recent flows using the Prefect client."""
    async with get_client() as client:
        # Read flows with pagination
        flows = await client.read_flows(limit=10)
        for flow in flows:
            print(f"Flow: {flow.name} (ID: {flow.id})")

            # Get deployments for this flow
            deployments = await client.read_deployments(
                flow_filter={"id": {"any_": [str(flow.id)]}}
            )
            for dep in deployments:
                print(f" - Deployment: {dep.name}")

        return flows

async def get_flow_run_logs(flow_run_id: str):
    """Retrieve logs for a specific flow run."""
    async with get_client() as client:
        logs = await client.read_logs(
            flow_run_filter={"id": {"any_": [flow_run_id]}}
        )
        for log in logs:
            print(f"[{log.level}] {log.message}")

if __name__ == "__main__":
    asyncio.run(list_recent_flows())
