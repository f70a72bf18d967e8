# Start the Prefect server
prefect server start

# Start server in Docker
docker run -p 4200:4200 -d --rm prefecthq/prefect:3-python3.12 \
  prefect server start --host 0.0.0.0

# Connect to Prefect Cloud
prefect cloud login

# List flows
prefect flow ls

# Run a deployment
prefect deployment run my-flow/my-deployment

# Create a deployment from command line
prefect deploy my_script.py:my_flow \
  --name my-deployment \
  --pool my-work-pool \
  --cron "0 * * * *"

# List deployments
prefect deployment ls

# Start a worker for a work pool
prefect worker start --pool my-work-pool

# View and set configuration
prefect config view
prefect config set PREFECT_API_URL="http://localhost:4200/api"

# Manage schedules
prefect deployment schedule create my-flow/my-deployment --cron "0 8 * * *"
prefect deployment schedule delete my-flow/my-deployment --schedule-id abc123
