from prefect.blocks.system import Secret
from prefect_aws import S3Bucket, AwsCredentials

# Create and save a secret block
api_key = Secret(value="sk-my-secret-api-key")
api_key.save("openai-api-key", overwrite=True)

# Load and use a secret in a flow
@flow
def secure_api_call():
    secret_block = Secret.load("openai-api-key")
    api_key = secret_block.get()
    # Use api_key for API calls...

# Create AWS credentials block
aws_creds = AwsCredentials(
    aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
    aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    region_name="us-east-1"
)
aws_creds.save("production-aws", overwrite=True)

# Create S3 bucket block for result storage
s3_bucket = S3Bucket(
    credentials=AwsCredentials.load("production-aws"),
    bucket_name="my-prefect-results"
)
s3_bucket.save("result-storage", overwrite=True)

# Use blocks in task caching
from prefect import task
from prefect.cache_policies import INPUTS

@task(
    cache_policy=INPUTS,
    result_storage=S3Bucket.load("result-storage")
)
def cached_expensive_operation(data: dict) -> dict:
    """Results cached to S3 for distributed access."""
    # Expensive computation...
    return {"processed": data}
