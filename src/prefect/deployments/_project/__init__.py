"""`prefect.yaml`: reading it, choosing its entries, making deployments of them, and writing it without losing a word."""
