"""Blocks that notify people: chat, pagers, e-mail, SMS, and any webhook."""

from prefect.blocks._notifications.base import (
    PREFECT_NOTIFY_TYPE_DEFAULT,
    AbstractAppriseNotificationBlock,
    AppriseNotificationBlock,
)
from prefect.blocks._notifications.custom_webhook import CustomWebhookNotificationBlock
from prefect.blocks._notifications.discord import DiscordWebhook
from prefect.blocks._notifications.mattermost import MattermostWebhook
from prefect.blocks._notifications.opsgenie import OpsgenieWebhook
from prefect.blocks._notifications.pager_duty import PagerDutyWebHook
from prefect.blocks._notifications.sendgrid import SendgridEmail
from prefect.blocks._notifications.slack import SlackWebhook
from prefect.blocks._notifications.teams import MicrosoftTeamsWebhook
from prefect.blocks._notifications.twilio import TwilioSMS
from prefect.blocks.abstract import NotificationBlock, NotificationError

__all__ = [
    "PREFECT_NOTIFY_TYPE_DEFAULT",
    "AbstractAppriseNotificationBlock",
    "AppriseNotificationBlock",
    "CustomWebhookNotificationBlock",
    "DiscordWebhook",
    "MattermostWebhook",
    "MicrosoftTeamsWebhook",
    "NotificationBlock",
    "NotificationError",
    "OpsgenieWebhook",
    "PagerDutyWebHook",
    "SendgridEmail",
    "SlackWebhook",
    "TwilioSMS",
]

for _cls in (
    AbstractAppriseNotificationBlock,
    AppriseNotificationBlock,
    CustomWebhookNotificationBlock,
    DiscordWebhook,
    MattermostWebhook,
    MicrosoftTeamsWebhook,
    OpsgenieWebhook,
    PagerDutyWebHook,
    SendgridEmail,
    SlackWebhook,
    TwilioSMS,
):
    _cls.__module__ = __name__
