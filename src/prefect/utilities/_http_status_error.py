"""Defines the HTTP error that shows what the API answered; public as `prefect.exceptions.PrefectHTTPStatusError`."""

from __future__ import annotations

from json import JSONDecodeError
from typing import Any

import httpx
from typing_extensions import Self

from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, _restore


class PrefectHTTPStatusError(httpx.HTTPStatusError):
    """An HTTP status error whose text includes the body of the response."""

    @classmethod
    def from_httpx_error(cls, httpx_error: httpx.HTTPStatusError) -> Self:
        """Build the error from httpx's own, adding the response's JSON body to its text."""
        message, *rest = str(httpx_error).split("\n", 1)
        try:
            body = httpx_error.response.json()
        except (JSONDecodeError, UnicodeDecodeError, httpx.ResponseNotRead):
            body = None
        parts = [message, f"Response: {body}" if body else None, *rest]
        text = "\n".join(part for part in parts if part)
        return cls(text, request=httpx_error.request, response=httpx_error.response)

    def __reduce__(self) -> tuple[Any, ...]:
        # httpx's constructor insists on keywords, which the default reduction does not pass.
        return _restore, (type(self), self.args, self.__dict__)


PrefectHTTPStatusError.__module__ = "prefect.exceptions"


class MissingObjectError(PrefectHTTPStatusError, ObjectNotFound):
    """A 404 of a request whose callers expect the HTTP error; it is also an `ObjectNotFound`."""

    def __init__(self, message: str, *, request: httpx.Request, response: httpx.Response) -> None:
        httpx.HTTPStatusError.__init__(self, message, request=request, response=response)
        self.args = (message,)
        self.http_exc, self.help_message = self, None

    __str__ = Exception.__str__


class ConflictError(PrefectHTTPStatusError, ObjectAlreadyExists):
    """A 409 of a request whose callers expect the HTTP error; it is also an `ObjectAlreadyExists`."""

    def __init__(self, message: str, *, request: httpx.Request, response: httpx.Response) -> None:
        httpx.HTTPStatusError.__init__(self, message, request=request, response=response)
        self.args = (message,)
        self.http_exc = self

    __str__ = Exception.__str__


_BY_STATUS: dict[int, type[PrefectHTTPStatusError]] = {404: MissingObjectError, 409: ConflictError}


def status_error(response: httpx.Response, request: httpx.Request | None = None) -> PrefectHTTPStatusError:
    """The error that says what a request was answered, for a response that is not a success."""
    kind = _BY_STATUS.get(response.status_code, PrefectHTTPStatusError)
    if request is not None:
        response.request = request
    try:
        httpx.Response.raise_for_status(response)  # the method of this package's responses would have added the body
    except httpx.HTTPStatusError as error:
        return kind.from_httpx_error(error)
    raise ValueError(f"The response {response!r} is no error.")
