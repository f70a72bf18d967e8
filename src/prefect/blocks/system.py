"""The block that keeps one secret value."""

from __future__ import annotations

import json
from typing import Annotated, Any, Generic, TypeVar

from pydantic import Field, JsonValue, SecretStr, StrictStr
from pydantic import Secret as PydanticSecret

from prefect.blocks.core import Block

__all__ = ["Secret"]

_Value = Annotated[StrictStr, Field(title="string")] | Annotated[JsonValue, Field(title="JSON")]

T = TypeVar("T", bound=_Value)


class Secret(Block, Generic[T]):
    """A value that is kept secret: it is encrypted where it is stored, and masked wherever it is shown.

    Example:
        Store a secret, and use it:
        ```python
        from prefect.blocks.system import Secret

        Secret(value="sk-1234567890").save("BLOCK_NAME", overwrite=True)

        secret_block = Secret.load("BLOCK_NAME")
        secret_block.get()
        ```
    """

    _block_type_name = "Secret"
    _block_type_slug = "secret"

    value: SecretStr | PydanticSecret[T] = Field(
        default=...,
        description="The value; a text, or anything that JSON can express.",
        examples=["sk-1234567890", {"username": "somebody", "password": "s3cr3t"}],
        json_schema_extra={"writeOnly": True, "format": "password"},
    )

    def get(self) -> T | str:
        """The value. A text that is JSON is read as such: `"123"` gives the number 123."""
        value: Any = self.value.get_secret_value()
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value, parse_constant=_no_number)
        except ValueError:
            return value


def _no_number(text: str) -> Any:
    # Not JSON, although Python's reader takes them for it.
    raise ValueError(f"{text!r} is no JSON value.")
