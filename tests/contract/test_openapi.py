"""The REST API, path by path: parameters, bodies, answers. What differs is listed with a reason, and the list may only shrink.

`python -m tests.contract.test_openapi` writes the list anew, and puts what it does not know under a heading of its own;
move that below a reason, or mend it. An operation that is listed as missing may come at any time.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from prefect.server.api._openapi import describe
from prefect.server.routes import all_routes

PUBLISHED = Path(__file__).parent / "openapi.json.gz"
EXCEPTIONS = Path(__file__).parent / "openapi_exceptions.json"
UNEXPLAINED = "not explained"
MISSING = ": missing"


@cache
def published() -> dict[str, Any]:
    return json.loads(gzip.decompress(PUBLISHED.read_bytes()))


@cache
def ours() -> dict[str, Any]:
    return json.loads(json.dumps(describe(all_routes())))


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


# -- what a schema says, apart from how it is written ------------------------------------------------------------------


def kinds(schema: dict[str, Any] | None, document: dict[str, Any]) -> list[str]:
    """The types that a schema allows, in words; references by name, but for enums, whose values are spelt out."""
    if not schema:
        return ["any"]
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        target = document["components"]["schemas"][name]
        if "enum" in target:
            return kinds(target, document)
        return [name.split("-")[0].rsplit("__", 1)[-1]]
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            allowed = sorted({kind for each in schema[word] for kind in kinds(each, document)})
            return ["any"] if "any" in allowed else allowed
    if "const" in schema:
        return [f"={schema['const']}"]
    if "enum" in schema:
        return [f"={value}" for value in sorted(map(str, schema["enum"]))]
    if schema.get("type") == "array":
        return [f"[{'|'.join(kinds(schema.get('items'), document))}]"]
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return [f"{{{'|'.join(kinds(schema['additionalProperties'], document))}}}"]
    kind = str(schema.get("type", "any"))
    return [f"{kind}:{schema['format']}" if schema.get("format") in ("uuid", "date-time", "date") else kind]


def said(schema: dict[str, Any] | None, document: dict[str, Any]) -> str:
    return "|".join(kinds(schema, document))


def compare_objects(where: str, here: dict[str, Any], there: dict[str, Any]) -> Iterator[str]:
    """Differences of two schemas that are references to objects with properties, or are such objects."""
    mine, theirs = here.get("properties", {}), there.get("properties", {})
    for name in sorted(theirs.keys() - mine.keys()):
        yield f"{where}.{name}{MISSING}"
    for name in sorted(mine.keys() - theirs.keys()):
        yield f"{where}.{name}: added"
    for name in sorted(mine.keys() & theirs.keys()):
        found, wanted = said(mine[name], ours()), said(theirs[name], published())
        if found != wanted:
            yield f"{where}.{name}: {found} instead of {wanted}"
        if (name in here.get("required", ())) != (name in there.get("required", ())):
            yield f"{where}.{name}: {'required' if name in here.get('required', ()) else 'optional'}"


def compare_operation(name: str, here: dict[str, Any], there: dict[str, Any]) -> Iterator[str]:
    mine, theirs = (
        {(each["in"], each["name"]): each for each in operation.get("parameters", ())} for operation in (here, there)
    )
    for place, parameter in sorted(theirs.keys() - mine.keys()):
        yield f"{name} {place} {parameter}{MISSING}"
    for place, parameter in sorted(mine.keys() - theirs.keys()):
        yield f"{name} {place} {parameter}: added"
    for key in sorted(mine.keys() & theirs.keys()):
        found, wanted = said(mine[key].get("schema"), ours()), said(theirs[key].get("schema"), published())
        if found != wanted:
            yield f"{name} {' '.join(key)}: {found} instead of {wanted}"
        if mine[key].get("required", False) != theirs[key].get("required", False):
            yield f"{name} {' '.join(key)}: {'required' if mine[key].get('required') else 'optional'}"
    yield from compare_bodies(name, here.get("requestBody"), there.get("requestBody"))
    # That any request may be refused is said by us alone.
    found, wanted = sorted(here["responses"].keys() - {"4XX"}), sorted(there["responses"])
    if found != wanted:
        yield f"{name} answers: {', '.join(found)} instead of {', '.join(wanted)}"
    for status in sorted(set(found) & set(wanted) - {"422"}):
        mine_says, theirs_says = here["responses"][status], there["responses"][status]
        found_type, wanted_type = content_of(mine_says, ours()), content_of(theirs_says, published())
        if found_type != wanted_type:
            yield f"{name} answer: {found_type} instead of {wanted_type}"


def compare_bodies(name: str, here: dict[str, Any] | None, there: dict[str, Any] | None) -> Iterator[str]:
    if here is None or there is None:
        if here is not there:
            yield f"{name} body{': added' if there is None else MISSING}"
        return
    if here.get("required", False) != there.get("required", False):
        yield f"{name} body: {'required' if here.get('required') else 'optional'}"
    mine, theirs = resolved(schema_of(here), ours()), resolved(schema_of(there), published())
    if "properties" in theirs and "properties" in mine and _is_body_model(there):
        yield from compare_objects(f"{name} body", mine, theirs)
        return
    found, wanted = said(schema_of(here), ours()), said(schema_of(there), published())
    if found != wanted:
        yield f"{name} body: {found} instead of {wanted}"


def schema_of(described: dict[str, Any]) -> dict[str, Any] | None:
    return next(iter(described.get("content", {}).values()), {}).get("schema")


def content_of(described: dict[str, Any], document: dict[str, Any]) -> str:
    if "content" not in described:
        return "nothing"
    media_type = next(iter(described["content"]))
    kind = said(schema_of(described), document)
    return kind if media_type == "application/json" else f"{media_type} {kind}"


def resolved(schema: dict[str, Any] | None, document: dict[str, Any]) -> dict[str, Any]:
    if schema and "$ref" in schema:
        return document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema or {}


def _is_body_model(described: dict[str, Any]) -> bool:
    return (schema_of(described) or {}).get("$ref", "").rsplit("/", 1)[-1].startswith("Body_")


def differences() -> list[str]:
    mine, theirs = operations(ours()), operations(published())
    found = [f"{name}{MISSING}" for name in theirs.keys() - mine.keys()]
    found += [f"{name}: added" for name in mine.keys() - theirs.keys()]
    for name in mine.keys() & theirs.keys():
        found += compare_operation(name, mine[name], theirs[name])
    here, there = ours()["components"]["schemas"], published()["components"]["schemas"]
    for name in here.keys() & there.keys():
        if not name.startswith("Body_") and name != "HTTPValidationError":
            found += compare_objects(name, here[name], there[name])
    return sorted(set(found))


def listed() -> dict[str, list[str]]:
    return json.loads(EXCEPTIONS.read_text())


def test_it_is_described_as_published():
    known = {difference for group in listed().values() for difference in group}
    found = set(differences())
    new, gone = sorted(found - known), sorted(known - found)
    hint = "\n`python -m tests.contract.test_openapi` writes the list anew."
    assert not new, "differs in ways that are not listed:\n" + "\n".join(new) + hint
    assert not gone, "take these off the list, they hold now:\n" + "\n".join(gone) + hint


def test_every_difference_has_a_reason():
    assert UNEXPLAINED not in listed()


@pytest.mark.parametrize("name", ["POST /flow_runs/", "POST /flow_runs/{id}/set_state", "POST /events"])
def test_what_every_client_needs_is_as_published(name: str):
    found = compare_operation(name, operations(ours())[name], operations(published())[name])
    assert [each for each in found if " answers: " not in each] == []


def write() -> None:
    found = differences()
    groups = {
        reason: [each for each in group if each in found] for reason, group in listed().items() if reason != UNEXPLAINED
    }
    known = {each for group in groups.values() for each in group}
    fresh = [each for each in found if each not in known]
    if fresh:
        groups[UNEXPLAINED] = fresh
    EXCEPTIONS.write_text(json.dumps({reason: group for reason, group in groups.items() if group}, indent=1) + "\n")
    print(f"{len(found)} differences, {len(fresh)} of them not explained")


if __name__ == "__main__":
    write()
