"""Reaches the API on behalf of commands."""

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from io import TextIOWrapper
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from prefect.cli._output import fail
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings, temporary_settings

ModelT = TypeVar("ModelT", bound=BaseModel)
T = TypeVar("T")

MOST_RETRIES = 1
"""How often commands ask a server again that does not answer."""
PAGE_SIZE = 200
"""How many objects the API gives at most for one request."""


@contextmanager
def connect(is_patient: bool = False) -> Generator[SyncPrefectClient, None, None]:
    """A client of the API that the settings of this call name. Ends the command if they name none.

    Args:
        is_patient: Try as often as the settings say before giving up on a server. By default a person waits, who had
            better know after a few seconds.
    """
    _accept_any_text()
    with nullcontext() if is_patient else _few_retries():
        try:
            client = get_client(sync_client=True)
        except ValueError as error:
            fail(str(error))
        with client:
            yield client


def _few_retries() -> AbstractContextManager[Any]:
    settings = get_current_settings()
    if not settings.api.url or settings.client.max_retries <= MOST_RETRIES:
        return nullcontext()
    return temporary_settings({"client.max_retries": MOST_RETRIES})


def _accept_any_text() -> None:
    """Let the output show characters that its encoding lacks as escapes: names from the API may hold any."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def missing_is(message: str) -> Generator[None, None, None]:
    """End the command with this message if the API does not know what this block asks for."""
    try:
        yield
    except ObjectNotFound:
        fail(message)


def read_pages(read: Callable[..., list[T]], limit: int | None = None, **request: Any) -> Iterator[T]:
    """Ask for a list of any length, page by page.

    Args:
        read: A method of the client that takes `limit` and `offset`.
        limit: Stop after so many; None for all there are.
        request: Its other arguments.
    """
    offset = 0
    while limit is None or offset < limit:
        wanted = PAGE_SIZE if limit is None else min(PAGE_SIZE, limit - offset)
        page = read(limit=wanted, offset=offset, **request)
        yield from page
        if len(page) < wanted:
            return
        offset += wanted


def compose(model: type[ModelT], **values: Any) -> ModelT:
    """Make what is sent to the API. Ends the command with one line for each value that does not fit."""
    try:
        return model(**values)
    except ValidationError as error:
        fail("\n".join(map(_problem, error.errors(include_url=False))))


def _problem(details: ErrorDetails) -> str:
    name = str(details["loc"][0]).replace("_", " ").capitalize() if details["loc"] else "Value"
    reason = details["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{name} {details['input']!r} is not valid: {reason}."
