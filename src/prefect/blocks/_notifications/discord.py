"""Notifications by Discord."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SecretStr

from prefect.blocks._notifications.base import AbstractAppriseNotificationBlock


class DiscordWebhook(AbstractAppriseNotificationBlock):
    """Sends messages to a channel of Discord, by a webhook.

    Example:
        Load a Discord webhook, and send a message:
        ```python
        from prefect.blocks.notifications import DiscordWebhook

        discord_webhook_block = DiscordWebhook.load("BLOCK_NAME")
        discord_webhook_block.notify("Hello from Prefect!")
        ```
    """

    _block_type_name = "Discord Webhook"
    _block_type_slug = "discord-webhook"

    webhook_id: SecretStr = Field(default=..., description="The first of the two parts that end the webhook's URL.")
    webhook_token: SecretStr = Field(default=..., description="The second of the two parts that end the webhook's URL.")
    botname: str | None = Field(default=None, title="Bot name", description="Who messages seem to come from.")
    tts: bool = Field(default=False, description="Whether messages are read aloud.")
    include_image: bool = Field(default=False, description="Whether an image shows what kind of news a message is.")
    avatar: bool = Field(default=False, description="Whether the webhook's own icon is replaced.")
    avatar_url: str | None = Field(
        default=None, title="Avatar URL", description="The icon to show instead; chosen by the kind of news by default."
    )

    def _service(self) -> Any:
        return "discord:NotifyDiscord", {
            "webhook_id": self.webhook_id.get_secret_value(),
            "webhook_token": self.webhook_token.get_secret_value(),
            "user": self.botname,
            "tts": self.tts,
            "include_image": self.include_image,
            "avatar": self.avatar,
            "avatar_url": self.avatar_url,
        }
