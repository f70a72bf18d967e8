"""The real core behind a small HTTP server, with a switch: it can refuse, or be away."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
from tests.client.http_api import API, Answer, Request

from prefect.client._in_process_http import InProcessTransport


class CoreAPI(API):
    """An API with a database of its own."""

    def __init__(self, database: Path) -> None:
        super().__init__(self._ask_core)
        self.refuse_with: int | None = None
        self.database_url = f"sqlite:///{database}"
        self._transport = InProcessTransport(self.database_url)

    def _ask_core(self, request: Request) -> Answer:
        if self.refuse_with is not None:
            return Answer(self.refuse_with, {"exception_message": "Service Unavailable"})
        url = f"http://core{request.path}"
        answer = self._transport.handle_request(httpx.Request(request.method, url, content=request.body))
        body = json.loads(answer.content) if answer.content else None
        return Answer(answer.status_code, body)
