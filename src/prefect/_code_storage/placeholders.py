"""Names blocks in what is stored, where the block itself would put its secrets there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect.blocks.core import Block


def with_block_placeholders(value: Any) -> Any:
    """Nested data with `{{ prefect.blocks.<type>.<name> }}` in the place of each block.

    Raises:
        BlockNotSavedError: A block was never saved.
    """
    if isinstance(value, Block):
        return f"{{{{ {value.get_block_placeholder()} }}}}"
    if isinstance(value, Mapping):
        return {key: with_block_placeholders(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_block_placeholders(each) for each in value]
    return value
