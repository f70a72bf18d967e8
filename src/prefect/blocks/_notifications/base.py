"""What the notification blocks share that send through apprise."""

from __future__ import annotations

from abc import ABC
from importlib import import_module
from typing import Any, Literal

from pydantic import Field, SecretStr

from prefect._compat.dispatch import async_dispatch
from prefect.blocks._scrubbing import scrubbed
from prefect.blocks.abstract import NotificationBlock, NotificationError
from prefect.utilities.asyncutils import run_sync_in_worker_thread

PREFECT_NOTIFY_TYPE_DEFAULT = "info"


class AbstractAppriseNotificationBlock(NotificationBlock, ABC):
    """A service that apprise can send messages to."""

    notify_type: Literal["info", "success", "warning", "failure"] = Field(
        default=PREFECT_NOTIFY_TYPE_DEFAULT, description="What kind of news a message is."
    )

    def _service(self) -> Any:
        """Where messages go; see `_delivery.Service`."""
        raise NotImplementedError(f"{type(self).__name__} does not say where its messages go.")

    def _message(self, body: str, subject: str | None) -> tuple[Any, str, str]:
        """Where a message goes, its text, and its title."""
        return self._service(), body, subject or ""

    async def anotify(self, body: str, subject: str | None = None) -> None:
        """`notify` for async code."""
        await run_sync_in_worker_thread(self._notify, body, subject)

    @async_dispatch(anotify)
    def notify(self, body: str, subject: str | None = None) -> None:  # type: ignore[override]
        """Send a message.

        Raises:
            NotificationError: It was not delivered, and this is in a `raise_on_failure()` block. Otherwise that is
                logged.
        """
        self._notify(body, subject)

    def _notify(self, body: str, subject: str | None) -> None:
        # apprise loads only where a message is sent.
        delivery = import_module("prefect.blocks._notifications._delivery")
        sent, log = delivery.deliver(*self._message(body, subject), self.notify_type)
        if sent:
            return
        log = scrubbed(log, self)
        if self._raise_on_failure:
            raise NotificationError(log=log)
        self.logger.warning("A notification by %s was not delivered. %s", self.get_block_type_name(), log)


class AppriseNotificationBlock(AbstractAppriseNotificationBlock, ABC):
    """A service that a URL stands for."""

    url: SecretStr = Field(
        default=...,
        title="Webhook URL",
        description="The URL of the webhook.",
        examples=["https://hooks.example.com/XXX"],
    )
    allow_private_urls: bool = Field(
        default=True, description="Whether the URL may be one of the private network. It may by default."
    )

    def _service(self) -> Any:
        return self.url.get_secret_value()

    def _notify(self, body: str, subject: str | None) -> None:
        if not self.allow_private_urls:
            # Needs httpx, which loads only where such a check is made.
            validate = import_module("prefect.utilities._restricted_urls").validate_restricted_url
            try:
                validate(self.url.get_secret_value())
            except ValueError as error:
                raise ValueError(scrubbed(str(error), self)) from None
        super()._notify(body, subject)
