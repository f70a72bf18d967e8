"""Notifications by Mattermost."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from pydantic import Field, SecretStr

from prefect.blocks._notifications.base import AbstractAppriseNotificationBlock


class MattermostWebhook(AbstractAppriseNotificationBlock):
    """Sends messages to channels of Mattermost, by an incoming webhook.

    Example:
        Load a Mattermost webhook, and send a message:
        ```python
        from prefect.blocks.notifications import MattermostWebhook

        mattermost_webhook_block = MattermostWebhook.load("BLOCK_NAME")
        mattermost_webhook_block.notify("Hello from Prefect!")
        ```
    """

    _block_type_name = "Mattermost Webhook"
    _block_type_slug = "mattermost-webhook"

    hostname: str = Field(
        default=..., description="The host of the Mattermost server.", examples=["mattermost.example.com"]
    )
    secure: bool = Field(default=False, description="Whether the server is reached by HTTPS.")
    token: SecretStr = Field(default=..., description="The token of the webhook.")
    botname: str | None = Field(default=None, title="Bot name", description="Who messages seem to come from.")
    channels: list[str] | None = Field(
        default=None, description="The channels that get messages; by default that of the webhook."
    )
    include_image: bool = Field(default=False, description="Whether an image shows what kind of news a message is.")
    path: str | None = Field(default=None, description="The path of the server, if it is not at the root of its host.")
    port: int = Field(default=8065, description="The port of the server.")

    def _service(self) -> Any:
        # Apprise has changed the arguments of its class over time, but not the form of its URLs.
        user = f"{quote(self.botname, safe='')}@" if self.botname else ""
        path = f"{quote(self.path.strip('/'))}/" if self.path else ""
        options = {"image": "yes" if self.include_image else "no"}
        if self.channels:
            options["channel"] = ",".join(self.channels)
        return (
            f"{'mmosts' if self.secure else 'mmost'}://{user}{self.hostname}:{self.port}/{path}"
            f"{quote(self.token.get_secret_value(), safe='')}/?{urlencode(options)}"
        )
