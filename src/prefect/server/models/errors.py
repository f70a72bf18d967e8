"""What an operation answers when it cannot do what was asked: a status and a JSON body.

ApiError
├── NotFound         404: a thing that the request names does not exist
├── Conflict         409: the request contradicts what is stored
├── Forbidden        403: the thing is reserved or protected
└── Invalid          422: the request itself is wrong
    └── InvalidRequest   422: parts of the request do not fit the route's types
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """A request failed in a way that its sender must hear of.

    Args:
        status: The HTTP status.
        detail: What the body carries under `detail`; text or any JSON value.
        headers: HTTP headers of the answer, such as `Retry-After`.
    """

    def __init__(self, status: int, detail: Any, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})

    @property
    def body(self) -> Any:
        """The JSON body of the answer."""
        return {"detail": self.detail}

    def __str__(self) -> str:
        return f"{self.status}: {self.detail}"


class NotFound(ApiError):
    """A thing that the request names does not exist.

    Args:
        detail: What does not exist, with its name or id.
        bare: Answer `{"exception_message": …}` in place of `{"detail": …}`, as some routes are known to.
    """

    def __init__(self, detail: str, *, bare: bool = False) -> None:
        super().__init__(404, detail)
        self._bare = bare

    @property
    def body(self) -> Any:
        return {"exception_message": self.detail} if self._bare else {"detail": self.detail}


class Conflict(ApiError):
    """The request contradicts what is stored."""

    def __init__(self, detail: Any) -> None:
        super().__init__(409, detail)


class Forbidden(ApiError):
    """The thing is reserved or protected."""

    def __init__(self, detail: Any) -> None:
        super().__init__(403, detail)


class Invalid(ApiError):
    """The request is well formed, and still asks for something that cannot be."""

    def __init__(self, detail: Any) -> None:
        super().__init__(422, detail)


class InvalidRequest(Invalid):
    """Parts of the request do not fit the types that the route takes.

    Args:
        problems: One object per problem: `type`, `loc`, `msg`, `input` and, at times, `ctx`.
        request_body: The body as it was sent.
    """

    def __init__(self, problems: list[dict[str, Any]], request_body: Any) -> None:
        first = problems[0]
        where = ".".join(str(part) for part in first["loc"])
        super().__init__(f"The request was refused: {first['msg']} (at {where})")
        self.problems = problems
        self.request_body = request_body

    @property
    def body(self) -> Any:
        return {
            "exception_message": "The request does not fit what this route takes.",
            "exception_detail": self.problems,
            "request_body": self.request_body,
        }
