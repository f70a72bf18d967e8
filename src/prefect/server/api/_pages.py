"""What stands beside the routes: the description of the API, its page for people, and what the UI is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from prefect.server.api._bodies import write_body
from prefect.server.api._openapi import describe
from prefect.server.api._responses import Answer
from prefect.server.routes import all_routes
from prefect.server.schemas.ui import UISettings
from prefect.settings import Settings

Pages = Mapping[str, Callable[[], Answer]]

_DOCS = Path(__file__).with_name("_docs.html")


@cache
def _document() -> bytes:
    # Takes half a second, so it is made when somebody asks for it.
    return write_body(describe(all_routes()))


def api_pages() -> Pages:
    """The pages below the root of the API, by path."""

    def docs() -> Answer:
        return Answer(200, _DOCS.read_bytes(), "text/html; charset=utf-8")

    return {"/openapi.json": lambda: Answer(200, _document()), "/docs": docs, "/redoc": docs}


def outer_pages(settings: Settings, base_path: str, asks_for_credentials: Callable[[], bool]) -> Pages:
    """The pages beside the API, by path."""
    below_ui = settings.server.ui.serve_base.rstrip("/")

    def moved(path: str) -> Callable[[], Answer]:
        return lambda: Answer(307, headers={"Location": base_path + path})

    return {
        "/docs": moved("/docs"),
        "/redoc": moved("/docs"),
        "/openapi.json": moved("/openapi.json"),
        f"{below_ui}/ui-settings": lambda: Answer(
            200, write_body(_ui_settings(settings, below_ui, asks_for_credentials()))
        ),
    }


def _ui_settings(settings: Settings, below_ui: str, asks_for_credentials: bool) -> UISettings:
    api = settings.server.api
    return UISettings(
        api_url=settings.server.ui.api_url or "",
        csrf_enabled=api.csrf_protection_enabled,
        auth="BASIC" if asks_for_credentials else None,
        default_ui="v2",
        available_uis=["v2"] if settings.server.ui.enabled else [],
        v2_base_url=(below_ui or "/") if settings.server.ui.enabled else None,
    )
