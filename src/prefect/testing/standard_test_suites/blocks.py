"""What every block type is held to."""

from __future__ import annotations

import ast
import re
from abc import ABC, abstractmethod
from urllib.parse import urlsplit

import pytest

from prefect.blocks.core import Block

_FENCE = re.compile(r"```(?:python)?\n(.*?)```", re.DOTALL)


class BlockStandardTestSuite(ABC):
    """Inherit from this, and give the block type to check as a fixture named `block`."""

    @pytest.fixture
    @abstractmethod
    def block(self) -> type[Block]:
        """The block type."""

    def test_has_a_description(self, block: type[Block]) -> None:
        """The type says what it is for."""
        assert block.get_description(), f"{block.__name__} has no description: give it a docstring."

    def test_has_a_documentation_url(self, block: type[Block]) -> None:
        """The type says where its documentation is."""
        assert block._documentation_url, f"{block.__name__} has no documentation: set _documentation_url."

    def test_all_fields_have_a_description(self, block: type[Block]) -> None:
        """Each field says what it means."""
        silent = [
            name for name, field in block.model_fields.items() if not field.description and not name.startswith("_")
        ]
        assert not silent, f"Fields of {block.__name__} without a description: {', '.join(silent)}."

    def test_has_a_valid_code_example(self, block: type[Block]) -> None:
        """The type shows how it is used, in code that is Python and names it."""
        example = block.get_code_example()
        assert example, f"{block.__name__} has no code example."
        code = "\n".join(_FENCE.findall(example)) or example
        try:
            ast.parse(code)
        except SyntaxError as error:
            raise AssertionError(f"The code example of {block.__name__} is not Python: {error}") from error
        assert block.__name__ in code or f"{block.get_block_type_slug()}/" in code, (
            f"The code example of {block.__name__} does not use it."
        )

    def test_has_a_valid_image(self, block: type[Block]) -> None:
        """The type has the address of a logo."""
        url = urlsplit(str(block._logo_url or ""))
        assert url.scheme in ("http", "https") and url.netloc, (
            f"{block.__name__} has no logo: set _logo_url to the address of an image, not {block._logo_url!r}."
        )


__all__ = ["BlockStandardTestSuite"]
