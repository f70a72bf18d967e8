"""Notifications by any webhook, in the form that it wants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Literal

from pydantic import Field

from prefect._compat.dispatch import async_dispatch
from prefect._plans import Pair, Plan, run_plan, run_plan_async
from prefect.blocks.abstract import NotificationBlock
from prefect.types import SecretDict

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")
_CONTEXT = ("subject", "body", "name")
_FILLED_IN = ("url", "params", "json_data", "form_data", "headers", "cookies")
_EXAMPLE = '{"text": "{{subject}}\\n{{body}}", "title": "{{name}}", "token": "{{tokenFromSecrets}}"}'


class CustomWebhookNotificationBlock(NotificationBlock):
    """Sends messages to any webhook.

    In texts of its fields, at any depth, `{{subject}}`, `{{body}}` and `{{name}}` stand for what is sent, and
    `{{key}}` for the secret of that key.

    Example:
        Load a custom webhook, and send a message:
        ```python
        from prefect.blocks.notifications import CustomWebhookNotificationBlock

        custom_webhook_block = CustomWebhookNotificationBlock.load("BLOCK_NAME")
        custom_webhook_block.notify("Hello from Prefect!")
        ```
    """

    _block_type_name = "Custom Webhook"
    _block_type_slug = "custom-webhook"

    name: str = Field(default=..., description="The name of the webhook.")
    url: str = Field(
        default=..., title="Webhook URL", description="The URL to call.", examples=["https://example.com/hooks/XXX"]
    )
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field(
        default="POST", description="The method of the request."
    )
    params: dict[str, str] | None = Field(
        default=None, title="Query Params", description="Parameters of the query of the URL."
    )
    json_data: dict[str, Any] | None = Field(
        default=None, title="JSON Data", description="What is sent as JSON.", examples=[_EXAMPLE]
    )
    form_data: dict[str, str] | str | None = Field(
        default=None,
        title="Form Data",
        description="What is sent as a form, or a text that is sent as it is. Not together with JSON data.",
        examples=[_EXAMPLE],
    )
    headers: dict[str, str] | None = Field(default=None, description="Headers of the request.")
    cookies: dict[str, str] | None = Field(default=None, description="Cookies of the request.")
    timeout: float = Field(default=10, description="Seconds to wait for an answer.")
    allow_private_urls: bool = Field(
        default=True, description="Whether the URL may be one of the private network. It may by default."
    )
    secrets: SecretDict = Field(
        default_factory=lambda: SecretDict({}),
        title="Custom Secret Values",
        description="Values that placeholders stand for, and that are shown to nobody.",
        examples=['{ "tokenFromSecrets": "SomeSecretToken" }'],
    )

    def block_initialization(self) -> None:
        """Check that the parts of the request fit together, and that every placeholder stands for something."""
        if self.form_data is not None and self.json_data is not None:
            raise ValueError("both `Form Data` and `JSON Data` provided: a request can have one of them")
        known = {*_CONTEXT, *self.secrets.get_secret_value()}
        for field in _FILLED_IN:
            for name in _names_in(getattr(self, field)):
                if name not in known:
                    raise KeyError(
                        f"The placeholder {{{{{name}}}}} in {field} stands for nothing. Put it into the secrets, or use one "
                        f"of {', '.join(sorted(known))}."
                    )

    async def anotify(self, body: str, subject: str | None = None) -> None:
        """`notify` for async code."""
        await run_plan_async(self._plan_notify(body, subject))

    @async_dispatch(anotify)
    def notify(self, body: str, subject: str | None = None) -> None:  # type: ignore[override]
        """Call the webhook.

        Raises:
            httpx.HTTPStatusError: It answered with an error.
            httpx.TransportError: There was no answer.
            ValueError: The URL is in the private network, and `allow_private_urls` is false.
        """
        run_plan(self._plan_notify(body, subject))

    def _plan_notify(self, body: str, subject: str | None) -> Plan[None]:
        request = self._request(body, subject)
        response = yield Pair(request.send, request.send_async)
        request.require_success(response)

    def _request(self, body: str, subject: str | None) -> Any:
        # httpx loads only where a message is sent.
        httpx, requests = import_module("httpx"), import_module("prefect.blocks._requests")
        values = {**self.secrets.get_secret_value(), "subject": subject or "", "body": body, "name": self.name}
        filled = {field: _filled_in(getattr(self, field), values) for field in _FILLED_IN}
        url = httpx.URL(filled["url"]).copy_merge_params(filled["params"] or {})
        form = filled["form_data"]
        content = {"data" if isinstance(form, dict) else "content": form} if form is not None else {}
        if filled["json_data"] is not None:
            content["json"] = filled["json_data"]
        return requests.Request(
            self.method,
            str(url),
            name=self.url,
            options=content,
            client={
                "headers": {"user-agent": "Prefect Notifications", **(filled["headers"] or {})},
                "cookies": filled["cookies"],
                "timeout": self.timeout,
            },
            allow_private_urls=self.allow_private_urls,
        )


def _names_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _PLACEHOLDER.findall(value)
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _names_in(item)


def _filled_in(value: Any, values: dict[str, Any]) -> Any:
    """A value with what its placeholders stand for; one that is a placeholder and nothing else keeps its type."""
    if isinstance(value, str):
        alone = _PLACEHOLDER.fullmatch(value)
        # Each placeholder once: what it stands for may look like one.
        return values[alone[1]] if alone else _PLACEHOLDER.sub(lambda match: str(values[match[1]]), value)
    if isinstance(value, dict):
        return {key: _filled_in(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled_in(item, values) for item in value]
    return value
