# Set environment variables
PREFECT_API_URL="http://localhost:4200/api"
DEPLOYMENT_ID="your-deployment-id"

# Create a flow run from a deployment
curl --location --request POST "$PREFECT_API_URL/deployments/$DEPLOYMENT_ID/create_flow_run" \
  --header "Content-Type: application/json" \
  --data-raw '{
    "parameters": {"param1": "value1"},
    "tags": ["manual", "api-triggered"]
  }'

# Filter flow runs
curl --location --request POST "$PREFECT_API_URL/flow_runs/filter" \
  --header "Content-Type: application/json" \
  --data-raw '{
    "sort": "CREATED_DESC",
    "limit": 10,
    "flow_runs": {
      "state": {
        "type": {"any_": ["COMPLETED", "FAILED"]}
      }
    }
  }'
