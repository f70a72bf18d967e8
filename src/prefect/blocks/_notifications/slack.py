"""Notifications by Slack."""

from __future__ import annotations

from pydantic import Field, SecretStr

from prefect.blocks._notifications.base import AppriseNotificationBlock


class SlackWebhook(AppriseNotificationBlock):
    """Sends messages to a channel of Slack, by an incoming webhook of hooks.slack.com or hooks.slack-gov.com.

    Example:
        Load a Slack webhook, and send a message:
        ```python
        from prefect.blocks.notifications import SlackWebhook

        slack_webhook_block = SlackWebhook.load("BLOCK_NAME")
        slack_webhook_block.notify("Hello from Prefect!")
        ```
    """

    _block_type_name = "Slack Webhook"
    _block_type_slug = "slack-webhook"

    url: SecretStr = Field(
        default=...,
        title="Webhook URL",
        description="The URL of an incoming webhook of Slack.",
        examples=["https://hooks.slack.com/services/XXX"],
    )
