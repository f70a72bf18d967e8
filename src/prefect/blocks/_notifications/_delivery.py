"""Hands messages to apprise. It is slow to import, and so this module is reached when a message is sent."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

import apprise

Service = str | tuple[str, dict[str, Any]]
"""Where a message goes: a URL that apprise understands, or the "module:Class" of one of its plugins with arguments."""


def deliver(service: Service, body: str, title: str, notify_type: str) -> tuple[bool, str]:
    """Send a message; gives whether it was delivered, and what was logged about it."""
    capture: Any = apprise.LogCapture(level=logging.INFO)
    with capture as captured:
        try:
            target = _target(service)
            client = apprise.Apprise()
            sent = target is not None and client.add(target)
            sent = sent and bool(client.notify(body=body, title=title, notify_type=notify_type))
        except TypeError as error:  # how apprise refuses what it cannot use
            logging.getLogger(apprise.LOGGER_NAME).error(str(error))
            sent = False
        return bool(sent), captured.getvalue()


def _target(service: Service) -> Any:
    if isinstance(service, str):
        return service
    path, options = service
    module, _, name = path.partition(":")
    return getattr(import_module(f"apprise.plugins.{module}"), name)(**options)
