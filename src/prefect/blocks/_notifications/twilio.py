"""Notifications by SMS."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SecretStr

from prefect.blocks._notifications.base import AbstractAppriseNotificationBlock


class TwilioSMS(AbstractAppriseNotificationBlock):
    """Sends text messages to phones by Twilio.

    Example:
        Load a Twilio block, and send a message:
        ```python
        from prefect.blocks.notifications import TwilioSMS

        twilio_sms_block = TwilioSMS.load("BLOCK_NAME")
        twilio_sms_block.notify("Hello from Prefect!")
        ```
    """

    _block_type_name = "Twilio SMS"
    _block_type_slug = "twilio-sms"

    account_sid: str = Field(default=..., description="The SID of the account.")
    auth_token: SecretStr = Field(default=..., description="The token of the account.")
    from_phone_number: str = Field(
        default=..., description="The number that messages come from.", examples=["18005550100"]
    )
    to_phone_numbers: list[str] = Field(
        default=..., description="The numbers that messages go to.", examples=['["18005550101", "18005550102"]']
    )

    def _service(self) -> Any:
        return "twilio:NotifyTwilio", {
            "account_sid": self.account_sid,
            "auth_token": self.auth_token.get_secret_value(),
            "source": self.from_phone_number,
            "targets": self.to_phone_numbers,
        }
