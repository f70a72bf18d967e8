"""Events on the server."""

from datetime import timedelta
from typing import Any

from pydantic import Field

from prefect.settings._types import also_named
from prefect.settings.base import PrefectBaseSettings, build_settings_config
from prefect.types import SecondsTimeDelta


def _formerly(field_name: str, prefix: str = "PREFECT_EVENTS") -> Any:
    name = field_name.upper()
    return also_named(field_name, f"PREFECT_SERVER_EVENTS_{name}", f"{prefix}_{name}")


class ServerEventsSettings(PrefectBaseSettings):
    """Events on the server."""

    model_config = build_settings_config(("server", "events"))

    stream_out_enabled: bool = Field(
        default=True,
        description="Let clients subscribe to events.",
        validation_alias=_formerly("stream_out_enabled", "PREFECT_API_EVENTS"),
    )
    related_resource_cache_ttl: SecondsTimeDelta = Field(
        default=timedelta(minutes=5),
        description="How long looked-up related resources are remembered.",
        validation_alias=_formerly("related_resource_cache_ttl", "PREFECT_API_EVENTS"),
    )
    maximum_event_name_length: int = Field(default=1024, gt=0, description="Longest name of an event, in characters.")
    maximum_labels_per_resource: int = Field(
        default=500,
        description="Most labels that a resource may have.",
        validation_alias=_formerly("maximum_labels_per_resource"),
    )
    maximum_related_resources: int = Field(
        default=100,
        description="Most related resources that an event may have.",
        validation_alias=_formerly("maximum_related_resources"),
    )
    maximum_size_bytes: int = Field(
        default=1_500_000,
        description="Largest event, in bytes of JSON.",
        validation_alias=_formerly("maximum_size_bytes"),
    )
    expired_bucket_buffer: SecondsTimeDelta = Field(
        default=timedelta(seconds=60),
        description="How long the counters of a trigger outlive their time window.",
        validation_alias=_formerly("expired_bucket_buffer"),
    )
    proactive_granularity: SecondsTimeDelta = Field(
        default=timedelta(seconds=5),
        description="Time between checks for triggers on events that do not come.",
        validation_alias=_formerly("proactive_granularity"),
    )
    retention_period: SecondsTimeDelta = Field(
        default=timedelta(days=7),
        description="How long events are kept.",
        validation_alias=_formerly("retention_period"),
    )
    maximum_websocket_backfill: SecondsTimeDelta = Field(
        default=timedelta(minutes=15),
        description="How far back a subscription may start.",
        validation_alias=_formerly("maximum_websocket_backfill"),
    )
    websocket_backfill_page_size: int = Field(
        default=250,
        gt=0,
        description="Past events that a subscription reads at a time.",
        validation_alias=_formerly("websocket_backfill_page_size"),
    )
    messaging_broker: str = Field(
        default="prefect.server.utilities.messaging.memory",
        description="Module that carries messages between parts of the server.",
        validation_alias=_formerly("messaging_broker", "PREFECT"),
    )
    messaging_cache: str = Field(
        default="prefect.server.utilities.messaging.memory",
        description="Module that remembers which messages were handled.",
        validation_alias=_formerly("messaging_cache", "PREFECT"),
    )
    causal_ordering: str = Field(
        default="prefect.server.events.ordering.memory",
        description="Module that puts events behind the ones that they follow.",
    )
