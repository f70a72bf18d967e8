prefect worker start --pool default-pool --type process
# Or check worker status
prefect work-pool ls
