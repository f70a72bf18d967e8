"""Stores blocks in the API and reads them: the plans behind the methods of `Block`."""

from __future__ import annotations

import html
import warnings
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from prefect._asking import ask
from prefect._plans import Effect, Pair, Plan
from prefect.blocks._schemas import field_keys, nested_blocks
from prefect.blocks.core import Block, InvalidBlockRegistration
from prefect.client._calls import blocks as calls
from prefect.client.schemas.actions import (
    BlockDocumentCreate,
    BlockDocumentUpdate,
    BlockSchemaCreate,
    BlockTypeCreate,
    BlockTypeUpdate,
)
from prefect.client.schemas.objects import BlockDocument, BlockType
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.types.names import BlockDocumentName
from prefect.utilities.asyncutils import run_coro_as_sync

if TYPE_CHECKING:
    from prefect.client._calls._call import Call

B = TypeVar("B", bound=Block)

_NAME: TypeAdapter[str] = TypeAdapter(BlockDocumentName)


def _send(call: Call[Any], client: Any) -> Effect:
    """Send a call through the client that was given, if one was."""
    return ask(call) if client is None else Pair(_send_through, _send_through_async, client, call)


def _send_through(client: Any, call: Call[Any]) -> Any:
    reply = client.send(call)
    return run_coro_as_sync(reply) if hasattr(reply, "__await__") else reply


async def _send_through_async(client: Any, call: Call[Any]) -> Any:
    reply = client.send(call)
    return await reply if hasattr(reply, "__await__") else reply


# -- types and schemas -------------------------------------------------------------------------------------------------


def plan_registration(cls: type[Block], client: Any) -> Plan[tuple[UUID, UUID]]:
    """Make a type and its schema known; gives their ids."""
    if cls is Block or cls.is_interface():
        what = "the Block class" if cls is Block else f"the interface {cls.__name__!r}, which has no fields of its own"
        raise InvalidBlockRegistration(f"Cannot register {what}: register a class that derives from it.")
    return (yield from _plan_registration(cls, client, set()))


def _plan_registration(cls: type[Block], client: Any, seen: set[type[Block]]) -> Plan[tuple[UUID, UUID]]:
    seen.add(cls)
    for nested in dict.fromkeys(each for _, classes in nested_blocks(cls, Block) for each in classes):
        if nested not in seen:
            yield from _plan_registration(nested, client, seen)
    block_type = yield from _plan_type(cls, client)
    schema = BlockSchemaCreate(
        fields=cls.model_json_schema(),
        block_type_id=block_type.id,
        capabilities=sorted(cls.get_block_capabilities()),
        version=cls.get_block_schema_version(),
    )
    # Of a schema that is known already, the API gives back the one that it has.
    stored = yield _send(calls.create_block_schema(schema), client)
    return block_type.id, stored.id


def _plan_type(cls: type[Block], client: Any) -> Plan[BlockType]:
    slug = cls.get_block_type_slug()
    shown = {
        "logo_url": cls._logo_url,
        "documentation_url": cls._documentation_url,
        "description": cls.get_description(),
        "code_example": cls.get_code_example(),
    }
    try:
        found = yield _send(calls.read_block_type_by_slug(slug), client)
    except ObjectNotFound:
        new = BlockTypeCreate(name=cls.get_block_type_name(), slug=slug, **shown)
        try:
            return (yield _send(calls.create_block_type(new), client))
        except ObjectAlreadyExists:  # another process was faster
            found = yield _send(calls.read_block_type_by_slug(slug), client)
    changes = {name: value for name, value in shown.items() if value and not _same(getattr(found, name), str(value))}
    if changes and not found.is_protected:
        yield _send(calls.update_block_type(found.id, BlockTypeUpdate(**changes)), client)
    return found


def _same(stored: str | None, text: str) -> bool:
    # The API keeps texts that people see escaped for HTML.
    return stored is not None and html.unescape(stored) == html.unescape(text)


# -- saving ------------------------------------------------------------------------------------------------------------


def plan_save(block: Block, name: str | None, overwrite: bool, client: Any) -> Plan[UUID]:
    """Store a block; gives the id of its document."""
    cls = type(block)
    name = name or block._block_document_name
    if name is None:
        raise ValueError(
            f"Cannot save this {cls.__name__} block without a name. Give it one: save('my-name'). A block that was loaded "
            "keeps its own."
        )
    name = _NAME.validate_python(name)
    data = document_data(block)
    type_id, schema_id = yield from plan_registration(cls, client)
    new = BlockDocumentCreate(name=name, data=data, block_schema_id=schema_id, block_type_id=type_id)
    try:
        id = (yield _send(calls.create_block_document(new), client)).id
    except ObjectAlreadyExists:
        slug = cls.get_block_type_slug()
        if not overwrite:
            raise ValueError(
                f"A block of type {slug!r} with the name {name!r} is already in use. To replace its values, save with "
                "`overwrite=True`; to keep them, choose another name."
            ) from None
        existing = yield _send(calls.read_block_document_by_name(name, slug, include_secrets=False), client)
        id = existing.id
        changed = BlockDocumentUpdate(block_schema_id=schema_id, data=data, merge_existing_data=False)
        yield _send(calls.update_block_document(id, changed), client)
    block._block_document_id, block._block_document_name, block._is_anonymous = id, name, False
    block._block_type_id, block._block_schema_id = type_id, schema_id
    return id


def document_data(block: Block) -> dict[str, Any]:
    """What is stored of a block: its fields with their secrets; for blocks that are stored themselves, references."""
    fields = type(block).model_fields
    data = block.model_dump(mode="json", by_alias=True, include=set(fields), context={"include_secrets": True})
    for name, field in fields.items():
        nested = getattr(block, name, None)
        if isinstance(nested, Block) and nested._block_document_id is not None:
            key = field.serialization_alias or name
            data[key] = {"$ref": {"block_document_id": str(nested._block_document_id)}}
    return data


# -- loading -----------------------------------------------------------------------------------------------------------


def plan_load(cls: type[B], name: str, validate: bool, client: Any) -> Plan[B]:
    """Read the block of a name."""
    document = yield from _plan_find(cls, name, True, client)
    return _block_of(cls, document, validate)


def plan_load_from_ref(cls: type[B], ref: Any, validate: bool, client: Any) -> Plan[B]:
    """Read the block of a reference."""
    if isinstance(ref, dict) and "block_document_slug" in ref:
        document = yield from _plan_find(Block, ref["block_document_slug"], True, client)
    else:
        id = _id_of(ref)
        try:
            document = yield _send(calls.read_block_document(id, include_secrets=True), client)
        except ObjectNotFound:
            raise ValueError(
                f"Unable to find block document with ID {id}. It was deleted, or never stored here."
            ) from None
    return _block_of(cls, document, validate)


def plan_delete(cls: type[Block], name: str, client: Any) -> Plan[None]:
    """Delete the block of a name."""
    document = yield from _plan_find(cls, name, False, client)
    yield _send(calls.delete_block_document(document.id), client)


def _id_of(ref: Any) -> UUID:
    id = ref.get("block_document_id") if isinstance(ref, dict) else ref
    if isinstance(id, UUID):
        return id
    if not isinstance(id, str):
        raise ValueError(
            f"Invalid reference format {ref!r}. Give the id of a block document, {{'block_document_id': id}}, or "
            "{'block_document_slug': 'block-type/name'}."
        )
    try:
        return UUID(id)
    except ValueError:
        raise ValueError(f"Block document ID {id!r} is not a valid UUID") from None


def _plan_find(cls: type[Block], given: str, include_secrets: bool, client: Any) -> Plan[BlockDocument]:
    slug, name = _slug_and_name(cls, given)
    try:
        return (yield _send(calls.read_block_document_by_name(name, slug, include_secrets=include_secrets), client))
    except ObjectNotFound:
        raise ValueError(
            f"Unable to find block document named {name!r} for block type {slug!r}. See which there are: prefect block ls"
        ) from None


def _slug_and_name(cls: type[Block], given: str) -> tuple[str, str]:
    slug, slash, name = given.partition("/")
    if slash:
        return slug, name
    if cls.is_interface():
        raise ValueError(
            f"The block {given!r} is not named fully: {cls.__name__} leaves open of which type it is. Write it as "
            "'block-type-slug/name'."
        )
    return cls.get_block_type_slug(), given


def _block_of(cls: type[B], document: BlockDocument, validate: bool) -> B:
    """Make a block of what is stored of it."""
    slug = document.block_type.slug if document.block_type is not None else cls.get_block_type_slug()
    target: Any = cls
    if cls.is_interface() or slug != cls.get_block_type_slug():
        target = Block.get_block_class_from_key(slug)
        if not issubclass(target, cls):
            raise ValueError(
                f"The block {f'{slug}/{document.name}'!r} is a {target.__name__}, not a {cls.__name__}. Load it with "
                f"{target.__name__}.load({document.name!r})."
            )
    data = _with_nested_identities(document.data, document.block_document_references)
    block: Any
    try:
        block = target.model_validate(data)
    except ValidationError as error:
        # What it quotes may be secret.
        problems = [
            (problem["loc"], problem["msg"]) for problem in error.errors(include_input=False, include_url=False)
        ]
        block = _unfit(target, slug, document, data, problems, validate)
    block._block_document_id, block._block_document_name = document.id, document.name
    block._is_anonymous = document.is_anonymous
    block._block_type_id, block._block_schema_id = document.block_type_id, document.block_schema_id
    _emit_loaded(document, slug)
    return block


def _with_nested_identities(data: dict[str, Any], references: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Data in which each block that is stored itself says which one it is."""
    data = dict(data)
    for key, reference in references.items():
        stored = reference["block_document"]
        if isinstance(data.get(key), dict):
            data[key] = _with_nested_identities(data[key], stored.get("block_document_references") or {}) | {
                "block_type_slug": stored["block_type"]["slug"],
                "_block_document_id": str(stored["id"]),
                "_block_document_name": stored["name"],
                "_is_anonymous": stored["is_anonymous"],
            }
    return data


def _unfit(
    cls: type[Block],
    slug: str,
    document: BlockDocument,
    data: dict[str, Any],
    problems: list[tuple[tuple[int | str, ...], str]],
    validate: bool,
) -> Block:
    """Make a block of stored values that the class has other ideas of, if that is allowed."""
    found = "; ".join(f"{'.'.join(map(str, location)) or 'the block'}: {text}" for location, text in problems)
    if validate:
        raise RuntimeError(
            f"Unable to load {document.name!r} of block type {slug!r}: what is stored does not fit the class {cls.__name__} "
            f"({found}). Load it with `validate=False`, set the fields, and save it with `overwrite=True`."
        ) from None
    warnings.warn(
        f"Could not fully load {document.name!r} of block type {slug!r}: what is stored does not fit the class "
        f"{cls.__name__} ({found}). Set these fields, and save the block again: "
        f"{cls.__name__}.save({document.name!r}, overwrite=True).",
        stacklevel=6,
    )
    return cls.model_construct(**dict(_usable_values(cls, data)))


def _usable_values(cls: type[Block], data: dict[str, Any]) -> Any:
    """The fields of a class by name: what is stored for each, validated if it can be, or None."""
    for key, (name, field) in zip(field_keys(cls), cls.model_fields.items(), strict=True):
        if key not in data:
            yield name, None if field.is_required() else field.get_default(call_default_factory=True)
            continue
        try:
            yield name, TypeAdapter[Any](field.annotation or Any).validate_python(data[key])
        except ValidationError:
            yield name, data[key]


def _emit_loaded(document: BlockDocument, slug: str) -> None:
    # Needed here only, and slow to import.
    from prefect.events.utilities import emit_event  # noqa: PLC0415

    emit_event(
        f"prefect.block.{slug}.loaded",
        {"prefect.resource.id": f"prefect.block-document.{document.id}", "prefect.resource.name": str(document.name)},
        related=[{"prefect.resource.id": f"prefect.block-type.{slug}", "prefect.resource.role": "block-type"}],
    )
