"""What a worker learns when the infrastructure of a run has ended."""

from abc import ABC

from pydantic import BaseModel


class BaseWorkerResult(BaseModel, ABC):
    """How the infrastructure of a run has ended; true if it went well.

    Attributes:
        identifier: The name of the infrastructure.
        status_code: 0 if it went well.
    """

    identifier: str
    status_code: int

    def __bool__(self) -> bool:
        return self.status_code == 0
