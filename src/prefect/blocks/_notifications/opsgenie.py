"""Notifications by Opsgenie."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SecretStr

from prefect.blocks._notifications.base import AbstractAppriseNotificationBlock


class OpsgenieWebhook(AbstractAppriseNotificationBlock):
    """Raises alerts of Opsgenie.

    Example:
        Load an Opsgenie webhook, and raise an alert:
        ```python
        from prefect.blocks.notifications import OpsgenieWebhook

        opsgenie_webhook_block = OpsgenieWebhook.load("BLOCK_NAME")
        opsgenie_webhook_block.notify("Hello from Prefect!")
        ```
    """

    _block_type_name = "Opsgenie Webhook"
    _block_type_slug = "opsgenie-webhook"

    apikey: SecretStr = Field(default=..., title="API Key", description="The key of an API integration.")
    target_user: list[str] | None = Field(default=None, description="Users who are told.")
    target_team: list[str] | None = Field(default=None, description="Teams that are told.")
    target_schedule: list[str] | None = Field(default=None, description="Schedules whose people on call are told.")
    target_escalation: list[str] | None = Field(default=None, description="Escalations that are started.")
    region_name: Literal["us", "eu"] = Field(default="us", description="The region of the account.")
    batch: bool = Field(default=False, description="Whether all who are told get one alert together.")
    tags: list[str] | None = Field(
        default=None, description="Tags of the alerts.", examples=['["production", "urgent"]']
    )
    priority: int | None = Field(default=3, description="How urgent the alerts are: 1, most urgent, to 5.")
    alias: str | None = Field(default=None, description="What alerts about the same thing have in common.")
    entity: str | None = Field(default=None, description="What the alerts are about.")
    details: dict[str, str] | None = Field(
        default=None, description="More details, by their names.", examples=['{"key1": "value1"}']
    )

    def _service(self) -> Any:
        return "opsgenie:NotifyOpsgenie", {
            "apikey": self.apikey.get_secret_value(),
            "targets": self._targets(),
            "region_name": self.region_name,
            "details": self.details,
            "priority": self.priority,
            "alias": self.alias,
            "entity": self.entity,
            "batch": self.batch,
            "tags": self.tags,
        }

    def _targets(self) -> list[str]:
        kinds = {"@": self.target_user, "#": self.target_team, "*": self.target_schedule, "^": self.target_escalation}
        return [f"{sign}{name}" for sign, names in kinds.items() for name in names or ()]
