# Create a process pool (workers run flows in subprocess on the worker host)
prefect work-pool create --type process default-process-pool

# Create a Kubernetes pool
prefect work-pool create --type kubernetes k8s-pool

# Start a worker for the process pool
prefect worker start --pool default-process-pool

# Start a Kubernetes worker (typically runs IN the cluster)
prefect worker start --pool k8s-pool
