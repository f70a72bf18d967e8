"""The block types that belong to the product, described as a server registers them."""

from __future__ import annotations

from prefect.blocks import notifications
from prefect.blocks.core import Block
from prefect.blocks.redis import RedisStorageContainer
from prefect.blocks.system import Secret
from prefect.blocks.webhook import Webhook
from prefect.client.schemas.actions import BlockSchemaCreate, BlockTypeCreate
from prefect.filesystems import SMB, LocalFileSystem, RemoteFileSystem


def describe_system_blocks() -> list[tuple[BlockTypeCreate, BlockSchemaCreate]]:
    """Each type with its schema; the schema's type is named when it is registered."""
    named = (getattr(notifications, name) for name in notifications.__all__)
    notifiers = [
        each for each in named if isinstance(each, type) and issubclass(each, Block) and not each.is_interface()
    ]
    own = [LocalFileSystem, RemoteFileSystem, SMB, RedisStorageContainer, Secret, Webhook, *notifiers]
    return [(_type_of(cls), _schema_of(cls)) for cls in own]


def _type_of(cls: type[Block]) -> BlockTypeCreate:
    return BlockTypeCreate(
        name=cls.get_block_type_name(),
        slug=cls.get_block_type_slug(),
        logo_url=cls._logo_url,
        documentation_url=cls._documentation_url,
        description=cls.get_description(),
        code_example=cls.get_code_example(),
    )


def _schema_of(cls: type[Block]) -> BlockSchemaCreate:
    return BlockSchemaCreate(
        fields=cls.model_json_schema(),
        capabilities=sorted(cls.get_block_capabilities()),
        version=cls.get_block_schema_version(),
    )
