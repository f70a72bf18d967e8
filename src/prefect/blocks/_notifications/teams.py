"""Notifications by Microsoft Teams."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import Field, SecretStr

from prefect.blocks._notifications.base import AppriseNotificationBlock


class MicrosoftTeamsWebhook(AppriseNotificationBlock):
    """Sends messages to a channel of Microsoft Teams, by a workflow of Power Automate.

    Example:
        Load a Teams webhook, and send a message:
        ```python
        from prefect.blocks.notifications import MicrosoftTeamsWebhook

        teams_webhook_block = MicrosoftTeamsWebhook.load("BLOCK_NAME")
        teams_webhook_block.notify("Hello from Prefect!")
        ```
    """

    _block_type_name = "Microsoft Teams Webhook"
    _block_type_slug = "ms-teams-webhook"

    url: SecretStr = Field(
        default=...,
        title="Webhook URL",
        description="The URL of a workflow that starts when a webhook request is received.",
        examples=["https://HOST:443/workflows/WORKFLOW/triggers/manual/paths/invoke?api-version=2016-06-01&sig=XXX"],
    )
    include_image: bool = Field(default=True, description="Whether an image shows what kind of news a message is.")
    wrap: bool = Field(default=True, description="Whether long lines of a message are wrapped.")

    def _service(self) -> Any:
        url = urlsplit(self.url.get_secret_value())
        options = {"image": _yes_or_no(self.include_image), "wrap": _yes_or_no(self.wrap)}
        return url._replace(query=urlencode([*parse_qsl(url.query), *options.items()])).geturl()


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"
