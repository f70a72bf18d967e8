"""What is sent back: a status, headers, and a body that is whole or made in pieces."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

_SMALLEST_COMPRESSED_BYTES = 4096

Headers = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: status, body, the type of the body, and further headers. A long body is made in pieces of text."""

    status: int
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] | None = None
    pieces: Iterator[str] | None = None


async def send_answer(send: Any, answer: Answer, request: Headers, threads: Executor | None) -> None:
    """Send a response.

    Args:
        send: Of ASGI.
        answer: The response.
        request: The headers of the request.
        threads: Where long bodies are compressed and pieces are made.
    """
    if answer.pieces is not None:
        await _send_pieces(send, answer, answer.pieces, threads)
        return
    body = answer.body
    headers: list[tuple[bytes, bytes]] = []
    if body:
        headers.append((b"content-type", answer.media_type.encode("latin-1")))
        if len(body) >= _SMALLEST_COMPRESSED_BYTES:
            headers.append((b"vary", b"Accept-Encoding"))
            if b"gzip" in request.get(b"accept-encoding", b""):
                body = await asyncio.get_running_loop().run_in_executor(threads, gzip.compress, body, 4)
                headers.append((b"content-encoding", b"gzip"))
    if answer.status != 204:
        headers.append((b"content-length", str(len(body)).encode()))
    if answer.headers:
        headers += _encoded(answer.headers)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _send_pieces(send: Any, answer: Answer, pieces: Iterator[str], threads: Executor | None) -> None:
    # Each piece is made when the one before it is on its way, so that a long answer never is in memory as a whole.
    # Where making one fails, the connection is cut, and the client knows that it has not got everything.
    headers = [(b"content-type", answer.media_type.encode("latin-1")), *_encoded(answer.headers)]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    loop = asyncio.get_running_loop()
    while (piece := await loop.run_in_executor(threads, next, pieces, None)) is not None:
        await send({"type": "http.response.body", "body": piece.encode(), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _encoded(headers: Mapping[str, str] | None) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()]
