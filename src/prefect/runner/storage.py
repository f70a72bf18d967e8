"""Where runners and deployments take flow code from; public names of what stands in `prefect._code_storage`."""

from prefect._code_storage.choice import create_storage_from_source
from prefect._code_storage.git_login import GitCredentials
from prefect._code_storage.git_repository import GitRepository
from prefect._code_storage.places import BlockStorageAdapter, LocalStorage, RemoteStorage, RunnerStorage

__all__ = [
    "BlockStorageAdapter",
    "GitCredentials",
    "GitRepository",
    "LocalStorage",
    "RemoteStorage",
    "RunnerStorage",
    "create_storage_from_source",
]

for _cls in (BlockStorageAdapter, GitCredentials, GitRepository, LocalStorage, RemoteStorage, RunnerStorage):
    _cls.__module__ = __name__
