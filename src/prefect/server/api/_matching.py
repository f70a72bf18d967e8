"""Finds the route of a path: a tree of path segments, in which what stands there literally goes before names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from prefect.server.routes import Route

Methods = dict[str, Route]


@dataclass(slots=True)
class _Node:
    """What may follow a beginning of a path."""

    literal: dict[str, _Node] = field(default_factory=dict)
    by_id: _Node | None = None
    by_name: _Node | None = None
    methods: Methods = field(default_factory=dict)

    def follow(self, segment: str, is_id: bool) -> _Node:
        """The node behind a segment of a template, made when there is none."""
        if not segment.startswith("{"):
            return self.literal.setdefault(segment, _Node())
        if is_id:
            self.by_id = self.by_id or _Node()
            return self.by_id
        self.by_name = self.by_name or _Node()
        return self.by_name


class RouteTree:
    """All routes, to be found by method and path.

    A segment that a route declares as a UUID is met by UUIDs only; other text is no such path, and gives 404.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        self._literal: dict[str, Methods] = {}
        for route in routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        ids = {each.name for each in route.parameters if each.source == "path" and each.annotation is UUID}
        node = self._root
        for segment in route.path.split("/"):
            node = node.follow(segment, segment.strip("{}") in ids)
        node.methods[route.method] = route
        if "{" not in route.path:
            self._literal[route.path] = node.methods

    def find(self, method: str, segments: list[str]) -> tuple[Route, dict[str, Any]] | None:
        """The route of a method and a path (decoded, cut at its slashes), and the values of its path parameters."""
        for methods, values in self._candidates(segments):
            route = methods.get(method)
            if route is not None:
                return route, dict(zip(_names(route), values, strict=True)) if values else {}
        return None

    def find_literal(self, method: str, path: str) -> Route | None:
        """The route of a path without parameters; quicker than `find`, and silent about all others."""
        methods = self._literal.get(path)
        return None if methods is None else methods.get(method)

    def allowed(self, segments: list[str]) -> list[str]:
        """The methods that a path answers to; none when there is no such path."""
        return sorted({method for methods, _ in self._candidates(segments) for method in methods})

    def _candidates(self, segments: list[str]) -> Iterator[tuple[Methods, tuple[Any, ...]]]:
        yield from _walk(self._root, segments, 0, ())


def _walk(
    node: _Node, segments: list[str], position: int, values: tuple[Any, ...]
) -> Iterator[tuple[Methods, tuple[Any, ...]]]:
    if position == len(segments):
        if node.methods:
            yield node.methods, values
        return
    segment = segments[position]
    literal = node.literal.get(segment)
    if literal is not None:
        yield from _walk(literal, segments, position + 1, values)
    if not segment:
        return
    if node.by_id is not None:
        id = _as_id(segment)
        if id is not None:
            yield from _walk(node.by_id, segments, position + 1, (*values, id))
    if node.by_name is not None:
        yield from _walk(node.by_name, segments, position + 1, (*values, segment))


def _as_id(segment: str) -> UUID | None:
    if len(segment) not in (32, 36):  # `UUID` would take braces and URNs as well
        return None
    try:
        return UUID(segment)
    except ValueError:
        return None


def _names(route: Route) -> list[str]:
    return [segment[1:-1] for segment in route.path.split("/") if segment.startswith("{")]
