"""Notifications by PagerDuty."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AnyHttpUrl, Field, SecretStr

from prefect.blocks._notifications.base import AbstractAppriseNotificationBlock

_BODY = "Prefect Notification Body"
"""The detail that holds the text of a message which has a subject."""


class PagerDutyWebHook(AbstractAppriseNotificationBlock):
    """Raises alerts of PagerDuty.

    Example:
        Load a PagerDuty webhook, and raise an alert:
        ```python
        from prefect.blocks.notifications import PagerDutyWebHook

        pager_duty_webhook_block = PagerDutyWebHook.load("BLOCK_NAME")
        pager_duty_webhook_block.notify("Hello from Prefect!")
        ```
    """

    _block_type_name = "Pager Duty Webhook"
    _block_type_slug = "pager-duty-webhook"

    # What the kinds of news are called here is a severity.
    notify_type: Literal["info", "success", "warning", "failure"] = Field(
        default="info", description="How severe an alert is."
    )
    integration_key: SecretStr = Field(
        default=..., description="The key of the integration of a service that gets the alerts."
    )
    api_key: SecretStr = Field(default=..., title="API Key", description="A key of PagerDuty's API.")
    source: str | None = Field(default="Prefect", description="Where alerts come from.")
    component: str = Field(default="Notification", description="The part of the source that alerts are about.")
    group: str | None = Field(default=None, description="The group of services that the component belongs to.")
    class_id: str | None = Field(default=None, title="Class ID", description="The class of alerts.")
    region_name: Literal["us", "eu"] = Field(default="us", description="The region of the account.")
    clickable_url: AnyHttpUrl | None = Field(
        default=None, title="Clickable URL", description="A URL that an alert links to."
    )
    include_image: bool = Field(default=True, description="Whether an image shows how severe an alert is.")
    custom_details: dict[str, str] | None = Field(default=None, description="More details, by their names.")

    def _message(self, body: str, subject: str | None) -> tuple[Any, str, str]:
        if not subject:
            return self._alerts(self.custom_details), body, ""
        return self._alerts({**(self.custom_details or {}), _BODY: body}), subject, ""

    def _alerts(self, details: dict[str, str] | None) -> Any:
        return "pagerduty:NotifyPagerDuty", {
            "apikey": self.api_key.get_secret_value(),
            "integrationkey": self.integration_key.get_secret_value(),
            "source": self.source,
            "component": self.component,
            "group": self.group,
            "class_id": self.class_id,
            "region_name": self.region_name,
            "click": str(self.clickable_url) if self.clickable_url else None,
            "include_image": self.include_image,
            "details": details,
        }
