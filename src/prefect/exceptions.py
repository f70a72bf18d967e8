"""Defines every error that this package raises on purpose.

::

    Exception
    ├── PrefectException
    │   ├── CrashedRun, FailedRun, CancelledRun, PausedRun, UnfinishedRun, UpstreamTaskError
    │   ├── MissingFlowError, UnspecifiedFlowError, ScriptError
    │   ├── MissingResult, SerializationError, HashError
    │   ├── MissingContextError (+ RuntimeError)
    │   ├── MissingProfileError (+ ValueError), ProfileSettingsValidationError, ConfigurationError
    │   ├── ParameterTypeError
    │   ├── ParameterBindError, SignatureMismatchError, ReservedArgumentError (+ TypeError)
    │   ├── MappingLengthMismatch, MappingMissingIterable
    │   ├── InvalidNameError (+ ValueError), InvalidRepositoryURLError
    │   ├── ObjectNotFound, ObjectAlreadyExists, ObjectLimitReached, ObjectUnsupported
    │   ├── BlockMissingCapabilities, ProtectedBlockError
    │   ├── InfrastructureError, InfrastructureNotFound, InfrastructureNotAvailable
    │   ├── NotPausedError, FlowPauseTimeout, FlowRunWaitTimeout, FlowRunWatchError
    │   └── EventTooLarge
    ├── ImportError
    │   └── PrefectImportError
    └── httpx.HTTPStatusError
        └── PrefectHTTPStatusError

    BaseException                       # ``except Exception`` in user code lets these through
    ├── PrefectSignal
    │   ├── Abort
    │   └── Pause
    └── ExternalSignal
        └── TerminationSignal

Every error survives pickling, whatever its constructor takes.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError
    from typing_extensions import Self

    from prefect.utilities._http_status_error import PrefectHTTPStatusError

__all__ = [
    "Abort",
    "BlockMissingCapabilities",
    "CancelledRun",
    "ConfigurationError",
    "CrashedRun",
    "EventTooLarge",
    "ExternalSignal",
    "FailedRun",
    "FlowPauseTimeout",
    "FlowRunWaitTimeout",
    "FlowRunWatchError",
    "HashError",
    "InfrastructureError",
    "InfrastructureNotAvailable",
    "InfrastructureNotFound",
    "InvalidNameError",
    "InvalidRepositoryURLError",
    "MappingLengthMismatch",
    "MappingMissingIterable",
    "MissingContextError",
    "MissingFlowError",
    "MissingProfileError",
    "MissingResult",
    "NotPausedError",
    "ObjectAlreadyExists",
    "ObjectLimitReached",
    "ObjectNotFound",
    "ObjectUnsupported",
    "ParameterBindError",
    "ParameterTypeError",
    "Pause",
    "PausedRun",
    "PrefectException",
    "PrefectHTTPStatusError",
    "PrefectImportError",
    "PrefectSignal",
    "ProfileSettingsValidationError",
    "ProtectedBlockError",
    "ReservedArgumentError",
    "ScriptError",
    "SerializationError",
    "SignatureMismatchError",
    "TerminationSignal",
    "UnfinishedRun",
    "UnspecifiedFlowError",
    "UpstreamTaskError",
    "exception_traceback",
]


def exception_traceback(exc: BaseException) -> str:
    """Return the traceback of an exception as Python would print it."""
    return "".join(traceback.format_exception(type(exc), exc, exc.__traceback__))


def _restore(cls: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]) -> BaseException:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


def _reduce_without_init(self: BaseException) -> tuple[Callable[..., BaseException], tuple[Any, ...]]:
    # The default reduction calls the constructor with `args`, which fails where the constructor takes anything else
    # than the message.
    return _restore, (type(self), self.args, self.__dict__)


class PrefectException(Exception):
    """The base of all errors of this package."""

    __reduce__ = _reduce_without_init


# --- runs that did not complete ---------------------------------------------------------------------------------------


class CrashedRun(PrefectException):
    """The result of a run was asked for, but the run crashed."""


class FailedRun(PrefectException):
    """The result of a run was asked for, but the run failed and its exception is not at hand."""


class CancelledRun(PrefectException):
    """The result of a run was asked for, but the run was cancelled."""


class PausedRun(PrefectException):
    """The result of a run was asked for, but the run is paused.

    Args:
        state: The state that the run is paused in, if it is known.
    """

    def __init__(self, *args: Any, state: Any | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.state = state


class UnfinishedRun(PrefectException):
    """The result of a run was asked for before the run ended.

    Where the run never started because of a failed upstream, the upstream's error is the `__cause__`.
    """


class UpstreamTaskError(PrefectException):
    """A task run did not start because a run that it depends on did not complete."""


# --- flows, scripts, results ------------------------------------------------------------------------------------------


class MissingFlowError(PrefectException):
    """A script or module holds no flow of the wanted name."""


class UnspecifiedFlowError(PrefectException):
    """A script or module holds several flows and none was chosen."""


class MissingResult(PrefectException):
    """A state has no result because the result was not persisted."""


class ScriptError(PrefectException):
    """A script raised while it was being loaded.

    Args:
        user_exc: What the script raised.
        path: Where the script is.
    """

    def __init__(self, user_exc: Exception, path: str) -> None:
        super().__init__(f"Script at {str(path)!r} encountered an exception: {user_exc!r}")
        self.user_exc = user_exc


class SerializationError(PrefectException):
    """A value could not be turned into bytes, or bytes not into a value."""


class HashError(PrefectException):
    """Values could not be hashed, so that no cache key can be computed from them."""


# --- parameters -------------------------------------------------------------------------------------------------------


class ParameterTypeError(PrefectException):
    """Parameters of a flow are not of the annotated types."""

    def __init__(self, msg: str) -> None:
        super().__init__(msg)

    @classmethod
    def from_validation_error(cls, exc: ValidationError) -> Self:
        """Build the error from what pydantic found, one line per finding."""
        findings = [f" - {'.'.join(str(part) for part in found['loc'])}: {found['msg']}" for found in exc.errors()]
        return cls("\n".join(["Flow run received invalid parameters:", *findings]))


class ParameterBindError(TypeError, PrefectException):
    """The arguments of a call do not fit the signature of the function."""

    def __init__(self, msg: str) -> None:
        super().__init__(msg)

    @classmethod
    def from_bind_failure(
        cls, fn: Callable[..., Any], exc: TypeError, call_args: tuple[Any, ...], call_kwargs: dict[str, Any]
    ) -> Self:
        """Build the error from Python's own complaint, adding the signature and the arguments received."""
        name = getattr(fn, "__name__", None) or repr(fn)
        parameters = ", ".join(str(parameter) for parameter in signature(fn).parameters.values())
        return cls(
            f"Error binding parameters for function {name!r}: {str(exc).rstrip('.')}.\n"
            f"Function {name!r} has signature {parameters!r} but received args: {call_args} "
            f"and kwargs: {list(call_kwargs)}."
        )


class SignatureMismatchError(PrefectException, TypeError):
    """Parameters given by name do not fit the signature of the function."""

    def __init__(self, msg: str) -> None:
        super().__init__(msg)

    @classmethod
    def from_bad_params(cls, expected_params: list[str], provided_params: list[str]) -> Self:
        """Build the error from the names that exist and the names that were given."""
        return cls(
            f"Function expects parameters {list(expected_params)} but was provided with parameters "
            f"{list(provided_params)}"
        )


class ReservedArgumentError(PrefectException, TypeError):
    """A function has a parameter whose name is taken by the engine."""


class InvalidNameError(PrefectException, ValueError):
    """A name holds characters that are not allowed."""


class MappingLengthMismatch(PrefectException):
    """A task is mapped over iterables of different lengths."""


class MappingMissingIterable(PrefectException):
    """A task is mapped, but none of its arguments is iterable."""


# --- context, profiles, settings --------------------------------------------------------------------------------------


class MissingContextError(PrefectException, RuntimeError):
    """Something that needs a run was used outside of one."""


class MissingProfileError(PrefectException, ValueError):
    """A profile of the given name does not exist."""


class ProfileSettingsValidationError(PrefectException):
    """Settings of a profile are invalid.

    Args:
        errors: Pairs of a setting and what pydantic said about its value.
    """

    def __init__(self, errors: list[tuple[Any, ValidationError]]) -> None:
        super().__init__(errors)
        self.errors = errors


class ConfigurationError(PrefectException):
    """The configuration does not allow what was asked for."""


# --- objects of the API -----------------------------------------------------------------------------------------------


class _RequestError(PrefectException):
    """The API refused a request; `http_exc` is the underlying HTTP error."""

    def __init__(self, http_exc: Exception, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.http_exc = http_exc

    def __str__(self) -> str:
        return super().__str__() or str(self.http_exc)


class ObjectNotFound(_RequestError):
    """The API knows no such object.

    Args:
        http_exc: The HTTP error that said so.
        help_message: What to tell the user instead of the HTTP error's text.
    """

    def __init__(self, http_exc: Exception, help_message: str | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(http_exc, *args, **kwargs)
        self.help_message = help_message

    def __str__(self) -> str:
        return self.help_message or super().__str__()


class ObjectAlreadyExists(_RequestError):
    """The API refuses to create an object that exists already."""


class ObjectLimitReached(_RequestError):
    """The API refuses to create an object because there are too many of its kind."""


class ObjectUnsupported(_RequestError):
    """The API does not support this kind of object."""


class BlockMissingCapabilities(PrefectException):
    """A block cannot do what it is needed for."""


class ProtectedBlockError(PrefectException):
    """A block is protected and cannot be changed or deleted."""


class InvalidRepositoryURLError(PrefectException):
    """The URL of a repository has the wrong form."""


# --- infrastructure ---------------------------------------------------------------------------------------------------


class InfrastructureError(PrefectException):
    """Infrastructure for a run could not be created or managed."""


class InfrastructureNotFound(PrefectException):
    """Infrastructure that should be stopped does not exist any more."""


class InfrastructureNotAvailable(PrefectException):
    """Infrastructure cannot be reached from here, for instance because it belongs to another host."""


# --- pausing and waiting ----------------------------------------------------------------------------------------------


class NotPausedError(PrefectException):
    """A run that should be resumed is not paused."""


class FlowPauseTimeout(PrefectException):
    """A paused flow run was not resumed in time."""


class FlowRunWaitTimeout(PrefectException):
    """A flow run did not end in the time that the caller was willing to wait."""


class FlowRunWatchError(PrefectException):
    """A flow run could not be watched."""


# --- events -----------------------------------------------------------------------------------------------------------


class EventTooLarge(PrefectException):
    """An event is larger than the API accepts.

    Args:
        size: The event's size in bytes.
        maximum: The largest size accepted, in bytes.
    """

    def __init__(self, size: int, maximum: int) -> None:
        super().__init__(f"Event is too large to emit ({size} > {maximum} bytes)")
        self.size = size
        self.maximum = maximum


# --- outside of the tree ----------------------------------------------------------------------------------------------


class PrefectImportError(ImportError):
    """A public name moved or was removed; the message says where to look."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class PrefectSignal(BaseException):
    """The base of what the engine raises to leave a run early; user code should not catch it."""

    __reduce__ = _reduce_without_init


class Abort(PrefectSignal):
    """The API told the engine to stop working on a run without touching its state."""


class Pause(PrefectSignal):
    """A flow run leaves its process because it was suspended.

    Args:
        state: The state that the run is paused in, if it is known.
    """

    def __init__(self, *args: Any, state: Any | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.state = state


class ExternalSignal(BaseException):
    """The base of what is raised when the outside world interrupts this process."""

    __reduce__ = _reduce_without_init


class TerminationSignal(ExternalSignal):
    """This process was told to terminate.

    Args:
        signal: The number of the signal that was received.
    """

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.signal = signal


def __getattr__(name: str) -> Any:
    # The one error that derives from httpx, which costs a quarter of a second to import.
    if name == "PrefectHTTPStatusError":
        error = import_module("prefect.utilities._http_status_error").PrefectHTTPStatusError
        globals()[name] = error
        return error
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
