from prefect.filesystems import S3
from prefect import flow, task

s3 = S3.load("results-bucket")

@task(persist_result=True, result_storage=s3, result_serializer="json")
def big_task(): ...
