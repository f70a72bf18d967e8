"""The access log: one line of JSON a request, when the server's logs are at INFO or below."""

from __future__ import annotations

import logging
import sys
from datetime import datetime, timezone

import orjson

from prefect.server.api._observing import NO_ROUTE, Exchange

_logger = logging.getLogger("prefect.server.access")


def open_access_log() -> bool:
    """Whether there is to be an access log; it goes to stdout where the logging configuration names no handler for it."""
    if not _logger.isEnabledFor(logging.INFO):
        return False
    if not _logger.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(message)s"))
        _logger.addHandler(handler)
        _logger.propagate = False
    return True


def log_exchange(exchange: Exchange) -> None:
    """Write one line. The query stays out of it: it may hold what is not for logs."""
    fields = {
        "time": datetime.now(timezone.utc),
        "method": exchange.method,
        "path": exchange.path,
        "route": None if exchange.route == NO_ROUTE else exchange.route,
        "status": exchange.status,
        "duration_ms": round(exchange.seconds * 1000, 3),
        "client": exchange.client,
        "user_agent": exchange.agent,
    }
    try:
        line = orjson.dumps(fields, option=orjson.OPT_UTC_Z)
    except TypeError:  # half a surrogate pair in the path
        line = orjson.dumps(
            fields | {"path": exchange.path.encode("utf-8", "replace").decode()}, option=orjson.OPT_UTC_Z
        )
    _logger.info("%s", line.decode())
