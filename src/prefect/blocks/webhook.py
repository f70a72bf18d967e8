"""The block that calls a webhook."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from prefect.blocks.core import Block
from prefect.types import SecretDict

if TYPE_CHECKING:
    from httpx import Response

__all__ = ["Webhook"]


class Webhook(Block):
    """A URL that is called with some data.

    Example:
        Load a webhook, and call it:
        ```python
        from prefect.blocks.webhook import Webhook

        webhook_block = Webhook.load("BLOCK_NAME")
        await webhook_block.call({"hello": "world"})
        ```
    """

    _block_type_name = "Webhook"
    _block_type_slug = "webhook"

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field(
        default="POST", description="The method of the request."
    )
    url: SecretStr = Field(
        default=..., title="Webhook URL", description="The URL to call.", examples=["https://example.com/hooks/XXX"]
    )
    headers: SecretDict = Field(
        default_factory=lambda: SecretDict({}),
        title="Webhook Headers",
        description="Headers of the request.",
    )
    allow_private_urls: bool = Field(
        default=True, description="Whether the URL may be one of the private network. It may by default."
    )
    verify: bool = Field(default=True, description="Whether the certificate of the server is checked.")

    async def call(self, payload: dict[str, Any] | str | None = None) -> Response:
        """Call the webhook.

        Args:
            payload: A text is sent as it is, anything else as JSON.

        Returns:
            The answer, whatever its status is.

        Raises:
            ValueError: The URL is in the private network, and `allow_private_urls` is false.
            httpx.TransportError: There was no answer.
        """
        # httpx loads only where a request is made.
        request = import_module("prefect.blocks._requests").Request
        url = self.url.get_secret_value()
        content = {"content": payload} if isinstance(payload, str) else {"json": payload}
        return await request(
            self.method,
            url,
            # The path of a webhook's URL is often the secret.
            name=urlsplit(url)._replace(path="/…", query="", fragment="").geturl(),
            options={"headers": self.headers.get_secret_value(), **content},
            verify=self.verify,
            allow_private_urls=self.allow_private_urls,
        ).send_async()
