"""Shows the core in this process as an HTTP API, to callers that want httpx's types: responses, errors, a transport."""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from pydantic_core import from_json, to_json

from prefect.client._calls._call import Call
from prefect.client._in_process import answer
from prefect.client._quick_httpx import httpx
from prefect.client.constants import EMBEDDED_URL
from prefect.server.routes._table import ApiError, all_routes
from prefect.utilities._http_status_error import status_error

_BASE_PATH = "/api"


def as_response(call: Call[Any], reply: Any) -> httpx.Response:
    """A reply of the core as an HTTP response."""
    return _response(_request_of(call), reply.status, reply.body, reply.media_type, dict(reply.headers))


def as_error(call: Call[Any], error: ApiError) -> Exception:
    """A refusal of the core as the error that it would be over HTTP."""
    request = _request_of(call)
    return status_error(_response(request, error.status, error.body, "application/json", dict(error.headers or {})))


def _request_of(call: Call[Any]) -> httpx.Request:
    path = call.template.format(**{name: quote(str(value), safe="") for name, value in call.path.items()})
    return httpx.Request(call.method, EMBEDDED_URL + path)


def _response(
    request: httpx.Request, status: int, body: Any, media_type: str, headers: dict[str, str]
) -> httpx.Response:
    if status == 204 or (body is None and media_type != "application/json"):
        return httpx.Response(status, headers=headers, request=request)
    content = body if isinstance(body, bytes) else to_json(body, fallback=str)
    return httpx.Response(status, headers={"Content-Type": media_type, **headers}, content=content, request=request)


class InProcessTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers HTTP requests from the core in this process."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        try:
            call = _call_of(request)
            reply = answer(call, self._database_url)
        except ApiError as error:
            return _response(request, error.status, error.body, "application/json", dict(error.headers or {}))
        return _response(request, reply.status, reply.body, reply.media_type, dict(reply.headers))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        return self.handle_request(request)


def _call_of(request: httpx.Request) -> Call[Any]:
    path = request.url.raw_path.decode().partition("?")[0].removeprefix(_BASE_PATH)
    fitting = (
        (match, template)
        for method, pattern, template in _patterns()
        if method == request.method and (match := pattern.fullmatch(path)) is not None
    )
    match, template = next(fitting, (None, ""))
    if match is None:
        raise ApiError(404, "Not Found")
    query = {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}
    try:
        body = from_json(request.content) if request.content else None
    except ValueError as error:
        raise ApiError(422, f"The body is no JSON: {error}") from error
    return Call(
        request.method,
        template,
        {name: unquote(value) for name, value in match.groupdict().items()},
        query=query,
        body=body,
    )


@cache
def _patterns() -> list[tuple[str, re.Pattern[str], str]]:
    # Fixed segments before named ones, so that `/flows/filter` is not taken for a flow's id.
    routes = sorted(all_routes(), key=lambda route: (route.path.count("{"), -len(route.path)))
    return [
        (route.method, re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", route.path)), route.path) for route in routes
    ]
