from prefect import flow

@flow(log_prints=True)
def ml_training_pipeline(
    dataset_path: str,
    model_type: str = "random_forest",
    epochs: int = 100
) -> dict:
    """Train an ML model."""
    print(f"Training {model_type} on {dataset_path} for {epochs} epochs")
    return {"model": model_type, "accuracy": 0.95}

if __name__ == "__main__":
    # Deploy to a Docker work pool
    ml_training_pipeline.deploy(
        name="ml-training-docker",
        work_pool_name="docker-pool",
        image="my-registry/ml-image:latest",
        job_variables={"env": {"CUDA_VISIBLE_DEVICES": "0"}},
        cron="0 2 * * *",  # Run at 2 AM daily
        tags=["ml", "training"]
    )
