"""One request to the API, and how its answer is read."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from copy import copy
from typing import Any, Generic, NoReturn, TypeVar

from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

T = TypeVar("T")

NOT_FOUND: Mapping[int, type[ObjectNotFound | ObjectAlreadyExists]] = {404: ObjectNotFound}
EXISTS: Mapping[int, type[ObjectNotFound | ObjectAlreadyExists]] = {409: ObjectAlreadyExists}


class Call(Generic[T]):
    """A request that has not been sent.

    Attributes:
        method: The HTTP method.
        template: The path below the API's root, with `{names}`.
        path: The values of the names in the path.
        query: Query parameters; None values are left out.
        body: Models, or what JSON can express; None for no body.
        parse: Makes the result of the answer's body.
        absent: What a 404 gives, if that is an answer and not an error.
        errors: The error that a status means to the caller, where it has a name of its own.
        wants_response: Give the HTTP response instead of what `parse` makes of it.
        wait_seconds: For how long the server may hold the request while there is nothing to tell; whole seconds.
        from_holder: It is about a run that this process runs, and makes it the holder of that run.
        holder: The process that it makes the holder, where that is another one.
    """

    __slots__ = (
        "absent",
        "body",
        "errors",
        "from_holder",
        "has_absent",
        "holder",
        "method",
        "parse",
        "path",
        "query",
        "template",
        "wait_seconds",
        "wants_response",
    )

    def __init__(
        self,
        method: str,
        template: str,
        path: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        parse: Callable[[Any], T] | None = None,
        errors: Mapping[int, type[ObjectNotFound | ObjectAlreadyExists]] | None = None,
        **absent: Any,
    ) -> None:
        self.method = method
        self.template = template
        self.path = path or {}
        self.query = query or {}
        self.body = body
        self.parse: Callable[[Any], T] = parse or _as_it_is
        self.errors = errors or {}
        self.has_absent = "absent" in absent
        self.absent: Any = absent.get("absent")
        self.wants_response = False
        self.wait_seconds = 0
        self.from_holder = False
        self.holder: str | None = None

    def for_response(self) -> Call[Any]:
        """The same request, which gives the `httpx.Response`."""
        call: Call[Any] = copy(self)
        call.wants_response = True
        return call

    def as_holder(self, holder: str | None = None) -> Call[T]:
        """Make this the request of the process that runs the run; gives the call itself.

        Args:
            holder: That process, where it is not this one.
        """
        self.from_holder, self.holder = True, holder
        return self

    def waiting(self, seconds: float) -> Call[T]:
        """Let the server hold the request for so long, where it can; gives the call itself."""
        self.wait_seconds = int(seconds)
        return self

    def fail(self, status: int, error: Exception) -> NoReturn:
        """Raise what a failed request means to the caller.

        Raises:
            ObjectNotFound: The API knows no such thing, and the call says so in this way.
            ObjectAlreadyExists: It exists already, and the call says so in this way.
            Exception: `error`, for everything else.
        """
        named = self.errors.get(status)
        if named is not None:
            raise named(http_exc=error) from error
        raise error


Steps = Generator[Call[Any], Any, T]
"""Several requests, one after the other: yields calls, is sent what they give (or raised what they raise), returns a result."""


def _as_it_is(body: Any) -> Any:
    return body


def nothing(_: Any) -> None:
    """Read an answer that says nothing."""


def one(model: type[T]) -> Callable[[Any], T]:
    """Read an answer that is one model."""

    def parse(body: Any) -> T:
        return body if isinstance(body, model) else model.model_validate(_plain(body))  # type: ignore[attr-defined]

    return parse


def many(model: type[T]) -> Callable[[Any], list[T]]:
    """Read an answer that is a list of models."""
    read = one(model)
    return lambda body: [read(item) for item in body]


def id_of(body: Any) -> Any:
    """Read the id of an answered model."""
    from uuid import UUID  # noqa: PLC0415 - not needed where the model travels as it is

    id = body["id"] if isinstance(body, Mapping) else body.id
    return id if isinstance(id, UUID) else UUID(id)


def _plain(body: Any) -> Any:
    # In process an operation may answer with a close relative of the model that clients know.
    return body.model_dump(mode="python") if hasattr(body, "model_dump") else body


def given(**values: Any) -> dict[str, Any]:
    """The values that are not None."""
    return {name: value for name, value in values.items() if value is not None}
