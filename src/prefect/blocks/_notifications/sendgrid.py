"""Notifications by e-mail."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SecretStr

from prefect.blocks._notifications.base import AbstractAppriseNotificationBlock

_SUBJECT = "Prefect Notification"


class SendgridEmail(AbstractAppriseNotificationBlock):
    """Sends e-mails by Sendgrid.

    Example:
        Load a Sendgrid block, and send a message:
        ```python
        from prefect.blocks.notifications import SendgridEmail

        sendgrid_block = SendgridEmail.load("BLOCK_NAME")
        sendgrid_block.notify("Hello from Prefect!")
        ```
    """

    _block_type_name = "Sendgrid Email"
    _block_type_slug = "sendgrid-email"

    api_key: SecretStr = Field(default=..., title="API Key", description="A key of Sendgrid's API.")
    sender_email: str = Field(
        default=...,
        title="Sender email id",
        description="The address that mails come from.",
        examples=["me@example.com"],
    )
    to_emails: list[str] = Field(
        default=...,
        title="Recipient emails",
        description="The addresses that mails go to.",
        examples=['["you@example.com", "them@example.com"]'],
    )

    def _message(self, body: str, subject: str | None) -> tuple[Any, str, str]:
        # Sendgrid refuses mails that have no subject.
        return self._service(), body, subject or _SUBJECT

    def _service(self) -> Any:
        return "sendgrid:NotifySendGrid", {
            "apikey": self.api_key.get_secret_value(),
            "from_email": self.sender_email,
            "targets": self.to_emails,
        }
