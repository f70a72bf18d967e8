"""Where the websockets of an API are."""

from __future__ import annotations


def http_to_ws(url: str) -> str:
    """The websocket form of an HTTP URL, without a slash at its end."""
    if url.startswith("https://"):
        url = "wss://" + url.removeprefix("https://")
    elif url.startswith("http://"):
        url = "ws://" + url.removeprefix("http://")
    return url.rstrip("/")


def socket_url(api_url: str, path: str) -> str:
    """The URL of the websocket at `path` below an API's URL."""
    return f"{http_to_ws(api_url)}/{path.lstrip('/')}"
