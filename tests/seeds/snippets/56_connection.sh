prefect server start  # Start local server
export PREFECT_API_URL=http://localhost:4200/api
prefect config view  # Verify settings
