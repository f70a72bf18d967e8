"""The route table: which operation answers a method and a path, what it takes, and how it is run.

A route is declared where its operation stands:

    @route("POST", "/flow_runs/{id}/set_state")
    def set_flow_run_state(tx: Transaction, id: UUID, state: StateCreate, force: bool = False) -> Reply[...]: ...

The first parameter says how it runs: `tx` in one transaction (a reading one where the route has `writes=False`), or
`store` where the operation opens its own. The others are the names in the path; those listed in `query`; a parameter
annotated `Caller`, which tells who asks; and body keys: several names are keys of one JSON object, one parameter
annotated `Whole[T]` is the whole body.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from importlib import import_module
from itertools import islice
from typing import Annotated, Any, Generic, Literal, Protocol, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError

from prefect.server.database.errors import RequestTooLarge, ValueRefused
from prefect.server.database.store import Store, Transaction
from prefect.server.models.errors import ApiError, Conflict, Forbidden, Invalid, InvalidRequest, NotFound
from prefect.server.routes._hard_values import hard_places
from prefect.server.routes._roles import role_needed
from prefect.server.schemas.access import Role

__all__ = [
    "ABSENT",
    "LOCAL",
    "ApiError",
    "Caller",
    "Conflict",
    "Forbidden",
    "Invalid",
    "InvalidRequest",
    "NotFound",
    "Reply",
    "Route",
    "Whole",
    "all_routes",
    "dispatch",
    "dispatch_within",
    "find_route",
    "route",
]

T = TypeVar("T")

_SHOW_SECRETS = "include_secrets"
"""The parameter of all routes that show secrets to those who ask for them."""
_WHOLE = "the whole body"
Whole = Annotated[T, _WHOLE]
"""Annotates the one parameter that is the whole body."""

ABSENT: Any = None
"""The default of a parameter that may be left out, and whose declared type has no null."""


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """An answer with a status of its own; a bare return value means the status that the route declares."""

    status: int
    body: T | None = None
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: what an HTTP request tells about its sender outside its body.

    Attributes:
        api_version: The API version that the client speaks; None when it does not say.
        client_version: The release of the client; None when it is unknown.
        automation_id: The automation on whose behalf the request is made.
        automation_name: The name of that automation.
        base_url: Where the API is mounted, for answers that carry links.
        is_ui: Whether the user interface asks, which takes no runs.
        holder: The process that asks, if it holds the runs that it creates and moves (see `models.flow_run_leases`).
        sees_secrets: Whether secrets may be shown to it.
        waited: For how long it has been waiting for an answer, while there was nothing to tell it.
    """

    api_version: tuple[int, int, int] | None = None
    client_version: tuple[int, int, int] | None = None
    automation_id: UUID | None = None
    automation_name: str | None = None
    base_url: str = ""
    is_ui: bool = False
    holder: str | None = None
    sees_secrets: bool = True
    waited: timedelta = timedelta(0)


LOCAL = Caller(client_version=(3, 8, 8))
"""This process itself, calling without HTTP."""


class Call(Protocol):
    """One request, as the client builds it."""

    @property
    def method(self) -> str: ...
    @property
    def template(self) -> str: ...
    @property
    def path(self) -> Mapping[str, Any]: ...
    @property
    def query(self) -> Mapping[str, Any]: ...
    @property
    def body(self) -> Any: ...


Source = Literal["path", "query", "body", "whole", "caller"]


class Parameter:
    """One parameter of an operation: where its value comes from, and what it must be."""

    def __init__(self, name: str, wire_name: str, source: Source, annotation: Any, default: Any) -> None:
        self.name = name
        self.wire_name = wire_name
        self.source: Source = source
        self.annotation = annotation
        self.default = default
        self.is_required = default is inspect.Parameter.empty

    @cached_property
    def _plain_class(self) -> type | None:
        """The class whose instances need no validation."""
        annotation = self.annotation
        is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
        return annotation if is_model or annotation is UUID else None

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """The validator of this parameter."""
        return TypeAdapter(self.annotation)

    @property
    def location(self) -> tuple[str, ...]:
        """Where problems with this parameter are reported."""
        if self.source == "whole":
            return ("body",)
        return (self.source, self.wire_name)

    def validate(self, value: Any) -> Any:
        """Check and convert a value; instances of the declared model pass as they are.

        Raises:
            ValidationError: It does not fit.
        """
        plain = self._plain_class
        if plain is not None:
            if isinstance(value, plain):
                return value
            if isinstance(value, BaseModel):  # the client's name for the same request
                value = value.model_dump(exclude_unset=True)
            if plain is not UUID:
                return plain.model_validate(value)  # type: ignore[attr-defined]
        return self.adapter.validate_python(value)


class Route:
    """One operation of the API.

    Attributes:
        method: The HTTP method.
        path: The path below the API's root, with `{names}`.
        operation: The function that does it.
        writes: Whether it may change what is stored.
        query: The names of its query parameters, as they stand in the URL.
        status: The status of a plain answer, and the one that the API description declares first.
        also: The other statuses of success, which a `Reply` has.
        name: The name in the API description from which its operation id is made.
        tags: The headings in the API description.
        media_type: What the body of the answer is.
        answers: The name of the answer's type in the API description, where the annotation does not tell it.
    """

    def __init__(
        self,
        method: str,
        path: str,
        operation: Callable[..., Any],
        *,
        writes: bool,
        query: tuple[str, ...],
        status: int,
        also: tuple[int, ...],
        name: str | None,
        tags: tuple[str, ...] | None,
        media_type: str,
        answers: str | None,
    ) -> None:
        self.method = method
        self.path = path
        self.operation = operation
        self.writes = writes
        self.query = query
        self.status = status
        self.also = also
        self.name = name or operation.__name__
        self.tags = (path.split("/")[1].replace("_", " ").title(),) if tags is None else tags
        self.media_type = media_type
        self.answers = answers

    @property
    def operation_id(self) -> str:
        """The unique name of this route in the API description."""
        return re.sub(r"\W", "_", f"{self.name}{self.path}") + "_" + self.method.lower()

    @cached_property
    def role(self) -> Role:
        """The weakest role that may use it."""
        return role_needed(self.method, self.path, self.writes)

    @cached_property
    def may_show_secrets(self) -> bool:
        """Whether its answers hold secrets where that is asked for."""
        return any(each.wire_name == _SHOW_SECRETS for each in self.parameters)

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self.operation, include_extras=True)

    @cached_property
    def _signature(self) -> list[inspect.Parameter]:
        return list(inspect.signature(self.operation).parameters.values())

    @cached_property
    def opens_transactions(self) -> bool:
        """Whether the operation is given the store, and opens its own transactions."""
        return self._signature[0].name == "store"

    @cached_property
    def response_type(self) -> Any:
        """The type of the answer's body."""
        answer = self._hints.get("return")
        return get_args(answer)[0] if get_origin(answer) is Reply else answer

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """What the operation takes besides its transaction."""
        in_path = set(re.findall(r"{(\w+)}", self.path))
        in_query = {name.replace("-", "_"): name for name in self.query}
        return tuple(self._parameter(each, in_path, in_query) for each in self._signature[1:])

    def _parameter(self, raw: inspect.Parameter, in_path: set[str], in_query: Mapping[str, str]) -> Parameter:
        annotation = self._hints[raw.name]
        source: Source = "body"
        if raw.name in in_path:
            source = "path"
        elif raw.name in in_query:
            source = "query"
        elif annotation is Caller:
            source = "caller"
        elif get_origin(annotation) is Annotated and _WHOLE in annotation.__metadata__:
            source = "whole"
            rest = tuple(each for each in annotation.__metadata__ if each != _WHOLE)
            annotation = Annotated[(annotation.__origin__, *rest)] if rest else annotation.__origin__
        return Parameter(raw.name, in_query.get(raw.name, raw.name), source, annotation, raw.default)

    @cached_property
    def _by_source(self) -> dict[str, list[Parameter]]:
        groups: dict[str, list[Parameter]] = {"path": [], "query": [], "body": [], "whole": [], "caller": []}
        for parameter in self.parameters:
            groups[parameter.source].append(parameter)
        return groups

    def arguments(self, call: Call, caller: Caller) -> dict[str, Any]:
        """The operation's arguments, checked and converted.

        Raises:
            NotFound: A path segment does not have the form of an id.
            InvalidRequest: Something else does not fit.
            Forbidden: Secrets are asked for by somebody who may not see them.
        """
        groups, body = self._by_source, call.body
        arguments: dict[str, Any] = {}
        problems: list[dict[str, Any]] = []
        for parameter in groups["path"]:
            try:
                arguments[parameter.name] = parameter.validate(call.path[parameter.name])
            except ValidationError as error:
                if parameter.annotation is UUID:
                    raise NotFound("Not Found") from None
                problems += _located(error, parameter)
        if groups["query"]:
            _take(groups["query"], call.query, arguments, problems)
        if groups["body"]:
            if body is None:
                body = {}
            if isinstance(body, Mapping):
                _take(groups["body"], body, arguments, problems)
            else:
                problems.append(_problem("model_attributes_type", ("body",), "The body must be an object", body))
        for parameter in groups["whole"]:
            if body is None and not parameter.is_required:
                arguments[parameter.name] = parameter.default
            elif body is None:
                problems.append(_problem("missing", parameter.location, "Field required", None))
            else:
                _check(parameter, body, arguments, problems)
        for parameter in groups["caller"]:
            arguments[parameter.name] = caller
        if problems:
            raise InvalidRequest(problems, call.body)
        # Answering with masks instead would let runs go on with asterisks for passwords.
        if arguments.get(_SHOW_SECRETS) and not caller.sees_secrets:
            raise Forbidden(
                "This API key may not see secrets. Ask with include_secrets=false, or use a key that was made with "
                "`--secrets` or for an admin."
            )
        return arguments


def _take(
    parameters: list[Parameter], given: Mapping[str, Any], arguments: dict[str, Any], problems: list[dict[str, Any]]
) -> None:
    for parameter in parameters:
        value = given.get(parameter.wire_name, _MISSING)
        # A null where the value may be left out is a leaving out: clients send one for whatever they were not given.
        if value is _MISSING or (value is None and not parameter.is_required):
            if parameter.is_required:
                problems.append(_problem("missing", parameter.location, "Field required", None))
            else:
                arguments[parameter.name] = parameter.default
        else:
            _check(parameter, value, arguments, problems)


def _check(parameter: Parameter, value: Any, arguments: dict[str, Any], problems: list[dict[str, Any]]) -> None:
    try:
        arguments[parameter.name] = parameter.validate(value)
    except ValidationError as error:
        problems += _located(error, parameter)
    except (OverflowError, UnicodeError) as error:  # an instant before or after all others in UTC; half a character
        problems.append(_problem("value_error", parameter.location, f"Value error, {error}", None))


_MISSING: Any = object()


def _problem(kind: str, location: tuple[str, ...], message: str, value: Any) -> dict[str, Any]:
    return {"type": kind, "loc": list(location), "msg": message, "input": value}


def _located(error: ValidationError, parameter: Parameter) -> list[dict[str, Any]]:
    problems: list[dict[str, Any]] = []
    for each in error.errors(include_url=False):
        problem: dict[str, Any] = {**each, "loc": [*parameter.location, *each["loc"]]}
        if "ctx" in problem:  # it may hold an exception, which JSON cannot say
            problem["ctx"] = {
                key: value if isinstance(value, (str, int, float, bool, type(None), list)) else str(value)
                for key, value in problem["ctx"].items()
            }
        problems.append(problem)
    return problems


# -- the table -------------------------------------------------------------------------------------------------------

_routes: dict[tuple[str, str], Route] = {}

_MODULES: dict[str, tuple[str, ...]] = {
    "admin": ("admin",),
    "api_keys": ("access",),
    "artifacts": ("artifacts",),
    "audit": ("access",),
    "automations": ("automations",),
    "block_capabilities": ("block_capabilities",),
    "block_documents": ("block_documents",),
    "block_schemas": ("block_schemas",),
    "block_types": ("block_types",),
    "collections": ("collections",),
    "concurrency_limits": ("concurrency_limits",),
    "csrf-token": ("csrf",),
    "deployments": ("deployments", "deployment_queries", "deployment_schedules", "deployment_runs"),
    "events": ("events",),
    "flow_run_states": ("states",),
    "flow_run_leases": ("flow_run_leases",),
    "flow_runs": ("flow_runs", "flow_run_queries", "flow_run_changes", "flow_run_inputs"),
    "flows": ("flows", "flow_queries"),
    "health": ("root",),
    "hello": ("root",),
    "logs": ("logs",),
    "ready": ("root",),
    "saved_searches": ("saved_searches",),
    "task_run_states": ("states",),
    "task_runs": ("task_runs",),
    "task_workers": ("task_workers",),
    "templates": ("templates",),
    "ui": ("ui",),
    "v2": ("concurrency_limits_v2",),
    "variables": ("variables",),
    "version": ("root",),
    "work_pools": ("work_pools", "work_pool_queues", "work_pool_workers"),
    "work_queues": ("work_queues",),
}
"""The modules that declare the routes below a first path segment, in the order in which they are looked through: what
every run needs stands first, so that a short script loads no more than it uses."""


def route(
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"],
    path: str,
    *,
    writes: bool = True,
    query: tuple[str, ...] = (),
    status: int = 200,
    also: tuple[int, ...] = (),
    name: str | None = None,
    tags: tuple[str, ...] | None = None,
    media_type: str = "application/json",
    answers: str | None = None,
) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Declare the decorated function as the operation of a method and a path.

    Args:
        method: The HTTP method.
        path: The path below the API's root; `{names}` are parameters of the operation.
        writes: Whether its transaction may write. A route that only reads is run on a snapshot.
        query: The query parameters, as they stand in the URL; dashes are underscores in the operation.
        status: The status of a plain answer; a `Reply` has its own.
        also: The other statuses of success that a `Reply` of the operation may have.
        name: The name in the API description, where it is not the function's.
        tags: The headings in the API description; made from the first segment of the path when left out.
        media_type: What the body of the answer is.
        answers: The name of the answer's type in the API description, where the annotation does not tell it: models
            of the API go by other names there, and pages are plain dictionaries here.
    """

    def declare(operation: Callable[..., T]) -> Callable[..., T]:
        _routes[method, path] = Route(
            method,
            path,
            operation,
            writes=writes,
            query=query,
            status=status,
            also=also,
            name=name,
            tags=tags,
            media_type=media_type,
            answers=answers,
        )
        return operation

    return declare


def find_route(method: str, template: str) -> Route:
    """The route of a method and a path template; the module that declares it is loaded on first use.

    Raises:
        NotFound: There is none.
    """
    found = _routes.get((method, template))
    if found is not None:
        return found
    for module in _MODULES.get(template.split("/", 2)[1], ()):
        import_module(f"prefect.server.routes.{module}")
        found = _routes.get((method, template))
        if found is not None:
            return found
    raise NotFound("Not Found")


def all_routes() -> Iterator[Route]:
    """Every route of the API; loads all the modules that declare some."""
    for modules in _MODULES.values():
        for module in modules:
            import_module(f"prefect.server.routes.{module}")
    return iter(list(_routes.values()))


def dispatch(store: Store, call: Call, caller: Caller = LOCAL) -> Reply[Any]:
    """Answer one request: check what it brings, run its operation, give its answer.

    Args:
        store: Where to run it.
        call: The request. Its body may hold models as they are, or what JSON makes of them.
        caller: Who asks.

    Raises:
        ApiError: The request failed; nothing was stored.
        StorageError: The database could not be used; nothing was stored.
    """
    chosen = find_route(call.method, call.template)
    arguments = chosen.arguments(call, caller)
    operation = chosen.operation
    if chosen.opens_transactions:
        return _replied(chosen, call, lambda: operation(store, **arguments))
    run = store.write if chosen.writes else store.read
    return _replied(chosen, call, lambda: run(lambda tx: operation(tx, **arguments)))


def dispatch_within(tx: Transaction, call: Call, caller: Caller) -> Reply[Any]:
    """Answer one request as a part of a transaction; for operations that take one.

    Raises:
        ApiError: The request failed; the transaction must not be committed.
    """
    chosen = find_route(call.method, call.template)
    arguments = chosen.arguments(call, caller)
    return _replied(chosen, call, lambda: chosen.operation(tx, **arguments))


def _replied(chosen: Route, call: Call, operate: Callable[[], Any]) -> Reply[Any]:
    try:
        answer = operate()
    except RequestTooLarge as error:
        raise Invalid(str(error)) from error
    except (OverflowError, UnicodeError, ValueRefused) as error:
        places = ", ".join(islice(hard_places(call.body, "body"), 3))
        where = f" Look at {places}." if places else ""
        raise Invalid(f"A value in the request cannot be stored: {error}.{where}") from error
    except Exception as error:
        if _is_integrity_error(error):
            raise Conflict(_CONFLICT) from error
        raise
    if isinstance(answer, Reply):
        return answer
    return Reply(chosen.status, answer, chosen.media_type)


_CONFLICT = (
    "The request conflicts with what is stored: something of that name or key exists, or what it refers to does not."
)


def _is_integrity_error(error: BaseException) -> bool:
    # Every driver has its own class of this name (PEP 249), and none may be imported here.
    return any(each.__name__ == "IntegrityError" for each in type(error).__mro__)
