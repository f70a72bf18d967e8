"""Decides how one request is brought to an end: repetitions with back-off, CSRF tokens, and when to give up.

Nothing here waits or sends. An exchange is a generator that yields a request to send, or seconds to wait; it is sent the
response, or the error that came in its place. The sync and the async client each drive it in a few lines.
"""

from __future__ import annotations

import logging
import random
import uuid
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from prefect.client._quick_httpx import httpx

logger = logging.getLogger("prefect.client")

RETRIED_STATUSES = frozenset({408, 429, 502, 503})
"""Statuses that mean a passing failure."""
_FIRST_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 60.0
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})

Exchange = Generator[httpx.Request | float, "httpx.Response | httpx.TransportError | None", httpx.Response]


@dataclass
class Session:
    """What the requests to one API have in common.

    Attributes:
        base_url: The address of the API, for messages and for the route of CSRF tokens.
        max_retries: How often to repeat a request that failed for a passing reason.
        jitter: Share of a pause by which it is changed at random.
        extra_statuses: Statuses to repeat besides those that mean a passing failure.
        csrf_enabled: Whether to ask for CSRF tokens; ends when the API says that it wants none.
        csrf_client: Names this client to the API's CSRF protection.
        csrf_token: The token in use.
        csrf_expiration: When it ends.
    """

    base_url: str
    max_retries: int = 5
    jitter: float = 0.2
    extra_statuses: frozenset[int] = frozenset()
    csrf_enabled: bool = False
    csrf_client: str = field(default_factory=lambda: str(uuid.uuid4()))
    csrf_token: str | None = None
    csrf_expiration: datetime | None = None


def exchange(session: Session, request: httpx.Request) -> Exchange:
    """Send a request until it is answered for good.

    Raises:
        httpx.TransportError: The API could not be reached, however often it was tried.
    """
    attempt, may_renew = 0, True
    while True:
        if session.csrf_enabled and request.method in _CHANGING:
            refused = yield from _add_csrf_token(session, request)
            if refused is not None:
                return refused
        answer = yield request
        if isinstance(answer, httpx.Response) and may_renew and _refuses_csrf_token(answer):
            session.csrf_token, may_renew = None, False
            continue
        pause = _pause(session, attempt, answer)
        if pause is None:
            return _final(session, request, answer, attempt)
        attempt += 1
        _tell(session, request, answer, attempt)
        yield pause


def _tell(session: Session, request: httpx.Request, answer: Any, attempts: int) -> None:
    """Say that the API cannot be reached: not the first time, which may be of the moment, but whoever waits has to know why."""
    if attempts == 2 and isinstance(answer, httpx.TransportError):
        logger.warning("%s Trying again…", unreachable(session.base_url or str(request.url), answer, attempts, request))


def _final(session: Session, request: httpx.Request, answer: Any, attempt: int) -> httpx.Response:
    if isinstance(answer, httpx.TransportError):
        raise unreachable(session.base_url or str(request.url), answer, attempt + 1, request) from answer
    return answer


def unreachable(url: str, error: httpx.TransportError, attempts: int, request: httpx.Request) -> httpx.TransportError:
    """The error for an API that does not answer: which one, why, and what to do."""
    often = "" if attempts == 1 else f" (tried {attempts} times)"
    reason = str(error) or type(error).__name__
    if isinstance(error, httpx.UnsupportedProtocol):
        reason = "it is no address, which would look like http://127.0.0.1:4200/api"
    return type(error)(
        f"Cannot reach the API at {url}: {reason}{often}. Is the server running (`prefect server start`), and is"
        " PREFECT_API_URL right (`prefect config view`)?",
        request=request,
    )


def _pause(session: Session, attempt: int, answer: Any) -> float | None:
    """Seconds to wait before the next attempt; None when this answer is final."""
    if attempt >= session.max_retries:
        return None
    nominal = min(_FIRST_PAUSE_SECONDS * 2.0**attempt, _LONGEST_PAUSE_SECONDS)
    own = nominal * random.uniform(1.0 - session.jitter, 1.0 + session.jitter)
    if isinstance(answer, httpx.TransportError):
        # The address, or what speaks there, is wrong: waiting does not help.
        return None if isinstance(answer, (httpx.UnsupportedProtocol, httpx.LocalProtocolError)) else max(own, 0.0)
    if answer.status_code not in RETRIED_STATUSES | session.extra_statuses:
        return None
    asked = _asked_pause(answer)
    if asked is None:
        return max(own, 0.0)
    # Never earlier than the API asks for, and not all clients at once.
    return asked * random.uniform(1.0, 1.0 + session.jitter)


def _asked_pause(answer: httpx.Response) -> float | None:
    text = answer.headers.get("Retry-After")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - datetime.now(timezone.utc)).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), _LONGEST_PAUSE_SECONDS)


# -- CSRF tokens -------------------------------------------------------------------------------------------------------


def _refuses_csrf_token(answer: httpx.Response) -> bool:
    if answer.status_code != 403:
        return False
    try:
        return "Invalid CSRF token" in answer.text
    except httpx.ResponseNotRead:
        return False


def _add_csrf_token(session: Session, request: httpx.Request) -> Generator[Any, Any, httpx.Response | None]:
    """Make sure that a request carries a token; gives the answer that keeps it from having one."""
    now = datetime.now(timezone.utc)
    if session.csrf_token is None or (session.csrf_expiration is not None and session.csrf_expiration <= now):
        answer = yield from _ask_for_token(session, request)
        if answer.status_code in (404, 422):
            session.csrf_enabled = False  # the API wants no tokens
            return None
        if answer.status_code != 200:
            return answer
        granted = answer.json()
        session.csrf_token = granted["token"]
        session.csrf_expiration = _instant(granted.get("expiration"))
    request.headers["Prefect-Csrf-Token"] = session.csrf_token or ""
    request.headers["Prefect-Csrf-Client"] = session.csrf_client
    return None


def _ask_for_token(session: Session, request: httpx.Request) -> Exchange:
    url = f"{session.base_url}/csrf-token?client={session.csrf_client}"
    asking = httpx.Request("GET", url, headers=_bodiless(request.headers), extensions=request.extensions)
    attempt = 0
    while True:
        answer = yield asking
        pause = _pause(session, attempt, answer)
        if pause is None:
            return _final(session, asking, answer, attempt)
        attempt += 1
        _tell(session, asking, answer, attempt)
        yield pause


def _instant(text: Any) -> datetime | None:
    if not text:
        return None
    instant = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=timezone.utc)


def _bodiless(headers: httpx.Headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if not name.lower().startswith("content-")}
