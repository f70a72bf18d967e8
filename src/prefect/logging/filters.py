"""Keeps the API key out of log records."""

from __future__ import annotations

import logging
import traceback
from typing import Any

from prefect.settings import get_current_settings

_MASK = "********"
_known: tuple[Any, str | None] = (None, None)
"""The settings that were looked at last, and their API key."""


class ObfuscateApiKeyFilter(logging.Filter):
    """Masks the API key in the message, the arguments and the traceback of every record. Lets all records pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the key in `record`."""
        key = _api_key()
        if key:
            record.msg = redact_substr(record.msg, key)
            if record.args:
                record.args = redact_substr(record.args, key)
            if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
                text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
                if key in text:
                    record.exc_text = text.replace(key, _MASK)  # formatters use this text where there is one
                    record.exc_info = _redact_exc_info(record.exc_info, key)
        return True


def _redact_exc_info(exc_info: Any, key: str) -> Any:
    kind, exception, tb = exc_info
    redacted = redact_substr(exception, key)
    return (kind, redacted if isinstance(redacted, BaseException) else Exception(redacted), tb)


def _api_key() -> str | None:
    global _known
    settings = get_current_settings()
    if _known[0] is not settings:
        secret = settings.api.key
        _known = (settings, secret.get_secret_value() if secret is not None else None)
    return _known[1]


def redact_substr(obj: Any, substr: str) -> Any:
    """Replace `substr` by asterisks in `obj`: in texts, inside collections, and in what other objects print as.

    An object that does not contain it comes back as it is; collections and exceptions that do, as redacted copies;
    any other object, as its redacted text.
    """
    if isinstance(obj, str):
        return obj.replace(substr, _MASK) if substr in obj else obj
    if isinstance(obj, (int, float, bool, type(None))):
        return obj
    if isinstance(obj, bytes):
        return obj.replace(substr.encode(), _MASK.encode())
    if isinstance(obj, dict):
        pairs = [(redact_substr(key, substr), redact_substr(value, substr)) for key, value in obj.items()]
        changed = any(
            key is not pair[0] or value is not pair[1] for (key, value), pair in zip(obj.items(), pairs, strict=True)
        )
        return dict(pairs) if changed else obj
    if type(obj) in (list, tuple, set, frozenset):
        items = [redact_substr(item, substr) for item in obj]
        return type(obj)(items) if any(new is not old for new, old in zip(items, obj, strict=True)) else obj
    return _redact_object(obj, substr)


def _redact_object(obj: Any, substr: str) -> Any:
    try:
        text = str(obj)
        if substr not in text:
            text = repr(obj)
            if substr not in text:
                return obj
    except Exception:  # noqa: BLE001 - whatever a user's __str__ raises is for the formatter to report
        return obj
    text = text.replace(substr, _MASK)
    if isinstance(obj, BaseException):
        try:
            return type(obj)(*redact_substr(obj.args, substr))
        except Exception:  # noqa: BLE001 - exceptions with a constructor of their own cannot be made from their args
            return text
    return text
