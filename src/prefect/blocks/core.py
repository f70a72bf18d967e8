"""Blocks: typed configuration that is stored in the API and referred to by name."""

from __future__ import annotations

import re
import sys
from abc import ABC
from collections.abc import Iterator
from importlib import import_module
from textwrap import dedent
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeGuard
from uuid import UUID

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationInfo, model_serializer, model_validator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode
from typing_extensions import Self

from prefect import _upcalls
from prefect._compat.dispatch import async_dispatch
from prefect._plans import run_plan, run_plan_async
from prefect.blocks import _docstrings, _schemas
from prefect.blocks._schemas import UNIONS as UnionTypes
from prefect.blocks._secrets import revealed_fields
from prefect.utilities.dispatch import get_registry_for_type, register_base_type
from prefect.utilities.importtools import importable_name

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler, SerializationInfo, SerializerFunctionWrapHandler
    from pydantic_core import CoreSchema

    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import BlockSchema

__all__ = [
    "Block",
    "BlockNotSavedError",
    "InvalidBlockRegistration",
    "ResourceTuple",
    "UnionTypes",
    "UnknownBlockType",
    "block_schema_to_key",
    "schema_extra",
]

ResourceTuple: TypeAlias = tuple[dict[str, Any], list[dict[str, Any]]]

_NO_VERSION = "non-versioned"
_BASE_VERSION = re.compile(r"v?((?:\d+!)?\d+(?:\.\d+)*)")

_IDENTITY = ("_block_document_id", "_block_document_name", "_is_anonymous")
"""The keys under which the data of a block may say which stored block it is."""

_BUILT_IN = {
    "custom-webhook": "prefect.blocks.notifications",
    "discord-webhook": "prefect.blocks.notifications",
    "local-file-system": "prefect.filesystems",
    "mattermost-webhook": "prefect.blocks.notifications",
    "ms-teams-webhook": "prefect.blocks.notifications",
    "opsgenie-webhook": "prefect.blocks.notifications",
    "pager-duty-webhook": "prefect.blocks.notifications",
    "redisstoragecontainer": "prefect.blocks.redis",
    "remote-file-system": "prefect._remote_filesystems",
    "secret": "prefect.blocks.system",
    "sendgrid-email": "prefect.blocks.notifications",
    "slack-webhook": "prefect.blocks.notifications",
    "smb": "prefect._remote_filesystems",
    "twilio-sms": "prefect.blocks.notifications",
    "webhook": "prefect.blocks.webhook",
}
"""The modules that define the block types of this package; each is imported when one of its types is needed."""

_PACKAGES = {
    "azure-blob-storage-container": "prefect-azure",
    "azure-blob-storage-credentials": "prefect-azure",
    "aws-credentials": "prefect-aws",
    "docker-registry-credentials": "prefect-docker",
    "gcp-credentials": "prefect-gcp",
    "gcs-bucket": "prefect-gcp",
    "github-credentials": "prefect-github",
    "github-repository": "prefect-github",
    "kubernetes-cluster-config": "prefect-kubernetes",
    "s3-bucket": "prefect-aws",
}
"""The packages that bring block types which are in wide use."""


class InvalidBlockRegistration(Exception):
    """A class was to be registered that stands for no block type of its own."""


class UnknownBlockType(Exception):
    """No class of blocks is known for a block type."""


class BlockNotSavedError(RuntimeError):
    """A block has to be saved for what was asked of it."""


def block_schema_to_key(schema: BlockSchema) -> str:
    """The key under which the class of a block schema is registered: the slug of its block type.

    Raises:
        UnknownBlockType: The schema does not say which block type it is of.
    """
    if schema.block_type is None:
        raise UnknownBlockType(
            f"The block schema {str(schema.id)!r} does not name its block type. Read it with its type."
        )
    return schema.block_type.slug


def schema_extra(schema: dict[str, Any], model: type[Block]) -> None:
    """Add to the JSON schema of a block class what is particular to blocks: its slug, secret fields, nested blocks."""
    _schemas.describe(schema, model, Block)


@register_base_type
class Block(BaseModel, ABC):
    """The base of all block classes: fields are what is stored, methods what can be done with it.

    A subclass says with class attributes what people see of it: `_block_type_name`, `_block_type_slug`, `_logo_url`,
    `_documentation_url`, `_description` (the docstring by default), `_code_example` (an example in the docstring by
    default), and `_block_schema_capabilities`. It is known under its slug as soon as it is defined.
    """

    # What validation complains about may be secret.
    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    _block_type_name: ClassVar[str | None] = None
    _block_type_slug: ClassVar[str | None] = None
    _logo_url: ClassVar[Any] = None
    _documentation_url: ClassVar[Any] = None
    _description: ClassVar[str | None] = None
    _code_example: ClassVar[str | None] = None
    _block_schema_capabilities: ClassVar[list[str] | None] = None
    _block_schema_version: ClassVar[str | None] = None

    _block_type_id: UUID | None = PrivateAttr(default=None)
    _block_schema_id: UUID | None = PrivateAttr(default=None)
    _block_document_id: UUID | None = PrivateAttr(default=None)
    _block_document_name: str | None = PrivateAttr(default=None)
    _is_anonymous: bool | None = PrivateAttr(default=None)

    # -- making ------------------------------------------------------------------------------------------------------

    def __new__(cls, **kwargs: Any) -> Self:
        """Make a block; of a subclass if `block_type_slug` names one."""
        slug = kwargs.get("block_type_slug")
        if slug is not None and slug != cls.get_block_type_slug():
            named = cls.get_block_class_from_key(slug)
            if issubclass(named, cls):
                return super().__new__(named)
        return super().__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        identity = {name: kwargs.pop(name) for name in _IDENTITY if name in kwargs}
        super().__init__(*args, **kwargs)
        for name, value in identity.items():
            setattr(self, name, UUID(value) if name == "_block_document_id" and isinstance(value, str) else value)
        self.block_initialization()

    def block_initialization(self) -> None:
        """Prepare the block after its fields are set; for subclasses."""

    @model_validator(mode="before")
    @classmethod
    def _of_named_type(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, dict) or "block_type_slug" not in value:
            return value
        fields = {key: each for key, each in value.items() if key != "block_type_slug"}
        slug = value["block_type_slug"]
        if slug == cls.get_block_type_slug():
            return fields
        named = cls.get_block_class_from_key(slug)
        if not issubclass(named, cls):
            raise ValueError(f"Invalid block_type_slug: expected {cls.get_block_type_slug()!r}, got {slug!r}")
        return named.model_validate(fields, context=info.context)

    # -- showing -----------------------------------------------------------------------------------------------------

    @model_serializer(mode="wrap")
    def _dump(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo):
        # would become the JSON schema of every block that is dumped.
        dumped = handler(self)
        if not isinstance(dumped, dict):
            return dumped
        if not info.exclude_unset and not info.exclude_defaults and not info.exclude_none:
            dumped = self._with_fields_of_subclass(dumped, info)
        if info.context and info.context.get("include_secrets", False):
            dumped = revealed_fields(self, dumped, info.mode == "json", Block)
        if info.include is None:
            dumped["block_type_slug"] = self.get_block_type_slug()
            if self._block_document_id is not None:
                dumped.update({name: getattr(self, name) for name in _IDENTITY})
        return dumped

    def _with_fields_of_subclass(self, dumped: dict[str, Any], info: SerializationInfo) -> dict[str, Any]:
        """Add what a dump lacks because it is that of a field that is declared as one of the base classes."""
        fields = type(self).model_fields
        if info.include is not None or info.exclude is not None or len(dumped) >= len(fields):
            return dumped
        keys = {(field.serialization_alias or name) if info.by_alias else name for name, field in fields.items()}
        if keys <= dumped.keys() or any(field.exclude for field in fields.values()):
            return dumped
        whole = self.model_dump(mode=info.mode, by_alias=info.by_alias, context=info.context)
        return {key: value for key, value in whole.items() if key in keys or key in dumped}

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        fields = type(self).model_fields
        return ((name, value) for name, value in super().__repr_args__() if name in fields)

    def __str__(self) -> str:
        return repr(self)

    # -- what a class is ---------------------------------------------------------------------------------------------

    @classmethod
    def __dispatch_key__(cls) -> str | None:
        return None if cls.is_interface() else cls.get_block_type_slug()

    @classmethod
    def is_interface(cls) -> bool:
        """Whether this is a class that others derive from, and that stands for no block type of its own."""
        return ABC in cls.__bases__

    @staticmethod
    def is_block_class(block: Any) -> TypeGuard[type[Block]]:
        """Whether something is a class of blocks."""
        return isinstance(block, type) and issubclass(block, Block)

    @staticmethod
    def annotation_refers_to_block_class(annotation: Any) -> bool:
        """Whether a field of this type can hold a block, itself or in a container."""
        return any(True for _ in _schemas.blocks_in(annotation, Block))

    @classmethod
    def _unparametrised(cls) -> type[Block]:
        # `Secret[dict]` is the same block type as `Secret`.
        origin: Any = cls.__pydantic_generic_metadata__["origin"]
        return origin or cls

    @classmethod
    def get_block_type_name(cls) -> str:
        """The name of the block type: `_block_type_name`, or else that of the class."""
        return cls._block_type_name or cls._unparametrised().__name__

    @classmethod
    def get_block_type_slug(cls) -> str:
        """The slug of the block type: `_block_type_slug`, or else made of the name."""
        if cls._block_type_slug:
            return cls._block_type_slug
        # Not needed for the blocks that every run has.
        from prefect.utilities.slugify import slugify  # noqa: PLC0415

        return slugify(cls.get_block_type_name())

    @classmethod
    def get_block_capabilities(cls) -> frozenset[str]:
        """What blocks of this class can do: the capabilities that it and the classes above it name."""
        return frozenset(
            capability for each in cls.__mro__ for capability in vars(each).get("_block_schema_capabilities") or ()
        )

    @classmethod
    def get_block_schema_version(cls) -> str:
        """The version of the schema: `_block_schema_version`, or else that of the package, or else "non-versioned"."""
        if cls._block_schema_version is not None:
            return cls._block_schema_version
        package = sys.modules.get(cls.__module__.partition(".")[0])
        version = _BASE_VERSION.match(str(getattr(package, "__version__", "")))
        return version[1] if version else _NO_VERSION

    @classmethod
    def get_description(cls) -> str | None:
        """What people read about the block type: `_description`, or else the text of the docstring."""
        return cls._description or _docstrings.description_of(vars(cls._unparametrised()).get("__doc__"))

    @classmethod
    def get_code_example(cls) -> str | None:
        """Code that shows how to use the block: `_code_example`, the docstring's example, or how to load one."""
        given = dedent(cls._code_example) if cls._code_example is not None else None
        return given or _docstrings.example_of(vars(cls._unparametrised()).get("__doc__")) or cls._loading_example()

    @classmethod
    def _loading_example(cls) -> str:
        name, variable = cls._unparametrised().__name__, f"{cls.get_block_type_slug().replace('-', '_')}_block"
        return f'```python\nfrom {importable_name(cls.__module__)} import {name}\n\n{variable} = {name}.load("BLOCK_NAME")\n```'

    @classmethod
    def model_json_schema(  # type: ignore[override]
        cls,
        by_alias: bool = True,
        ref_template: str = "#/definitions/{model}",
        schema_generator: type[GenerateJsonSchema] = GenerateJsonSchema,
        mode: JsonSchemaMode = "validation",
    ) -> dict[str, Any]:
        """The JSON schema of the class, as it is stored with the block type."""
        schema = super().model_json_schema(by_alias, ref_template, schema_generator, mode)
        return _schemas.finish(schema)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core_schema)
        schema_extra(handler.resolve_ref_schema(schema), cls)
        return schema

    @classmethod
    def _calculate_schema_checksum(cls, block_schema_fields: dict[str, Any] | None = None) -> str:
        return _schemas.checksum(cls.model_json_schema() if block_schema_fields is None else block_schema_fields)

    # -- finding classes ---------------------------------------------------------------------------------------------

    @classmethod
    def get_block_class_from_schema(cls, schema: BlockSchema) -> type[Self]:
        """The class of a block schema.

        Raises:
            UnknownBlockType: No such class is installed.
        """
        return cls.get_block_class_from_key(block_schema_to_key(schema))

    @classmethod
    def get_block_class_from_key(cls, key: str) -> type[Self]:
        """The class of a block type; installed integration packages are imported if it is not known yet.

        Args:
            key: The slug of the type.

        Raises:
            UnknownBlockType: No such class is installed.
        """
        registry: dict[str, Any] = get_registry_for_type(Block) or {}
        if key not in registry and key in _BUILT_IN:
            import_module(_BUILT_IN[key])
        if key not in registry:
            _upcalls.resolve("load_prefect_collections")()
        try:
            return registry[key]
        except KeyError:
            package = _PACKAGES.get(key)
            what = f"`{package}` is installed" if package else "the block class is available in the current environment"
            raise UnknownBlockType(f"No block class found for slug {key!r}. Please ensure that {what}.") from None

    # -- the API -----------------------------------------------------------------------------------------------------

    @classmethod
    async def aregister_type_and_schema(cls, client: PrefectClient | None = None) -> None:
        """`register_type_and_schema` for async code."""
        await run_plan_async(_documents().plan_registration(cls, client))

    @classmethod
    @async_dispatch(aregister_type_and_schema)
    def register_type_and_schema(cls, client: PrefectClient | None = None) -> None:
        """Make the block type and its schema known to the API, and those of the blocks in its fields.

        Raises:
            InvalidBlockRegistration: This is `Block` itself, or an interface.
        """
        run_plan(_documents().plan_registration(cls, client))

    async def asave(
        self, name: str | None = None, overwrite: bool = False, client: PrefectClient | None = None
    ) -> UUID:
        """`save` for async code."""
        return await run_plan_async(_documents().plan_save(self, name, overwrite, client))

    @async_dispatch(asave)
    def save(self, name: str | None = None, overwrite: bool = False, client: PrefectClient | None = None) -> UUID:
        """Store this block. Blocks in its fields that are stored themselves become references.

        Args:
            name: Lower-case letters, digits and dashes. A block that was loaded or saved has one already.
            overwrite: Replace the block of this type and name if there is one.
            client: Sends the requests; a client of the active API by default.

        Returns:
            The id of the block document.

        Raises:
            ValueError: There is no name; it is not allowed; or it is taken, and `overwrite` is false.
        """
        return run_plan(_documents().plan_save(self, name, overwrite, client))

    @classmethod
    async def aload(cls, name: str, validate: bool = True, client: PrefectClient | None = None) -> Self:
        """`load` for async code."""
        return await run_plan_async(_documents().plan_load(cls, name, validate, client))

    @classmethod
    @async_dispatch(aload)
    def load(cls, name: str, validate: bool = True, client: PrefectClient | None = None) -> Self:
        """Read a stored block.

        Args:
            name: Its name; `"block-type-slug/name"` where the class leaves the type open, as `Block` does.
            validate: Fail if the stored values do not fit the class. Otherwise what does not is None, with a warning.
            client: Sends the requests; a client of the active API by default.

        Raises:
            ValueError: There is no such block.
            RuntimeError: It does not fit the class.
            UnknownBlockType: The class of its type is not installed.
        """
        return run_plan(_documents().plan_load(cls, name, validate, client))

    @classmethod
    async def aload_from_ref(
        cls, ref: str | UUID | dict[str, Any], validate: bool = True, client: PrefectClient | None = None
    ) -> Self:
        """`load_from_ref` for async code."""
        return await run_plan_async(_documents().plan_load_from_ref(cls, ref, validate, client))

    @classmethod
    @async_dispatch(aload_from_ref)
    def load_from_ref(
        cls, ref: str | UUID | dict[str, Any], validate: bool = True, client: PrefectClient | None = None
    ) -> Self:
        """Read the stored block of a reference.

        Args:
            ref: The id of the block document, `{"block_document_id": id}`, or `{"block_document_slug": "type/name"}`.
            validate: See `load`.
            client: Sends the requests; a client of the active API by default.

        Raises:
            ValueError: It is no reference, or there is no such block.
        """
        return run_plan(_documents().plan_load_from_ref(cls, ref, validate, client))

    @classmethod
    async def adelete(cls, name: str, client: PrefectClient | None = None) -> None:
        """`delete` for async code."""
        await run_plan_async(_documents().plan_delete(cls, name, client))

    @classmethod
    @async_dispatch(adelete)
    def delete(cls, name: str, client: PrefectClient | None = None) -> None:
        """Delete a stored block.

        Args:
            name: Its name; `"block-type-slug/name"` where the class leaves the type open, as `Block` does.
            client: Sends the requests; a client of the active API by default.

        Raises:
            ValueError: There is no such block.
        """
        run_plan(_documents().plan_delete(cls, name, client))

    def get_block_placeholder(self) -> str:
        """What stands for this block in templates: `prefect.blocks.<type>.<name>`.

        Raises:
            BlockNotSavedError: It was never saved.
        """
        if self._block_document_name is None:
            raise BlockNotSavedError("Could not generate block placeholder for unsaved block. Save it first.")
        return f"prefect.blocks.{self.get_block_type_slug()}.{self._block_document_name}"


def _documents() -> Any:
    # The requests about blocks and their models load only where blocks are stored or read.
    return import_module("prefect.blocks._documents")
