"""Which events, and which automations, somebody wants to see.

All given parts of a filter have to hold; a part that is not given, or is an empty list, asks for nothing. `includes`
decides for one event; what a filter means for a database stands where that is asked.
"""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from prefect.client.schemas._base import PrefectBaseModel
from prefect.client.schemas._filter_base import PrefectFilterBaseModel, PrefectOperatorFilterBaseModel
from prefect.client.schemas._text_query import TextQuery, parse_text_query
from prefect.events.schemas.events import Event, RelatedResource, Resource, ResourceSpecification
from prefect.types import DateTime
from prefect.types._datetime import now
from prefect.utilities.collections import AutoEnum

DEFAULT_RANGE = timedelta(days=180)
MAX_QUERY_LENGTH = 200

# -- automations -----------------------------------------------------------------------------------------------------


class AutomationFilterId(PrefectFilterBaseModel):
    """By the id of the automation."""

    any_: list[UUID] | None = None


class AutomationFilterCreated(PrefectFilterBaseModel):
    """By the time at which the automation was created."""

    before_: DateTime | None = None


class AutomationFilterName(PrefectFilterBaseModel):
    """By the name of the automation."""

    any_: list[str] | None = None


class AutomationFilterTags(PrefectOperatorFilterBaseModel):
    """By the tags of the automation."""

    all_: list[str] | None = None
    any_: list[str] | None = None
    is_null_: bool | None = None


class AutomationFilter(PrefectOperatorFilterBaseModel):
    """Which automations."""

    id: AutomationFilterId | None = None
    name: AutomationFilterName | None = None
    created: AutomationFilterCreated | None = None
    tags: AutomationFilterTags | None = None


# -- events ----------------------------------------------------------------------------------------------------------


class EventDataFilter(PrefectBaseModel):
    """A part of a filter for events."""

    model_config = ConfigDict(extra="forbid")

    def get_filters(self) -> list["EventDataFilter"]:
        """The parts that this filter consists of."""
        parts: list[EventDataFilter] = []
        for name in type(self).model_fields:
            value = getattr(self, name)
            parts += [part for part in (value if isinstance(value, list) else [value]) if _is_part(part)]
        return parts

    def includes(self, event: Event) -> bool:
        """Whether an event is wanted."""
        return all(part.includes(event) for part in self.get_filters())

    def excludes(self, event: Event) -> bool:
        """Whether an event is not wanted."""
        return not self.includes(event)


def _is_part(value: object) -> bool:
    return isinstance(value, EventDataFilter)


def _default_since() -> DateTime:
    return now().replace(hour=0, minute=0, second=0, microsecond=0) - DEFAULT_RANGE


class EventOccurredFilter(EventDataFilter):
    """By the time of the event: from `since` (by default, the start of the day 180 days ago) until `until` (now)."""

    since: DateTime = Field(default_factory=_default_since)
    until: DateTime = Field(default_factory=now)

    def includes(self, event: Event) -> bool:
        return self.since <= event.occurred <= self.until


class EventNameFilter(EventDataFilter):
    """By the name of the event."""

    prefix: list[str] | None = None
    exclude_prefix: list[str] | None = None
    name: list[str] | None = None
    exclude_name: list[str] | None = None

    def includes(self, event: Event) -> bool:
        if self.prefix and not event.event.startswith(tuple(self.prefix)):
            return False
        if self.exclude_prefix and event.event.startswith(tuple(self.exclude_prefix)):
            return False
        if self.name and event.event not in self.name:
            return False
        return not (self.exclude_name and event.event in self.exclude_name)


class EventResourceFilter(EventDataFilter):
    """By the resource of the event.

    Attributes:
        distinct: Of all events of a resource, only the newest is wanted; that is for the database to decide.
    """

    id: list[str] | None = None
    id_prefix: list[str] | None = None
    labels: ResourceSpecification | None = None
    distinct: bool = False

    def includes(self, event: Event) -> bool:
        return _is_wanted(event.resource, self.id, self.id_prefix, self.labels)


class EventRelatedFilter(EventDataFilter):
    """By the related resources of the event: one of them has to be all that is asked for."""

    id: list[str] | None = None
    role: list[str] | None = None
    resources_in_roles: list[tuple[str, str]] | None = None
    labels: ResourceSpecification | None = None

    def includes(self, event: Event) -> bool:
        if not (self.id or self.role or self.resources_in_roles or self.labels):
            return True
        return any(self._wants(related) for related in event.related)

    def _wants(self, related: RelatedResource) -> bool:
        if self.role and related.role not in self.role:
            return False
        if self.resources_in_roles and (related.id, related.role) not in self.resources_in_roles:
            return False
        return _is_wanted(related, self.id, None, self.labels)


class EventAnyResourceFilter(EventDataFilter):
    """By the resource and the related resources of the event: one of them has to be all that is asked for."""

    id: list[str] | None = None
    id_prefix: list[str] | None = None
    labels: ResourceSpecification | None = None

    def includes(self, event: Event) -> bool:
        return any(_is_wanted(each, self.id, self.id_prefix, self.labels) for each in event.involved_resources)


def _is_wanted(
    resource: Resource,
    ids: Sequence[str] | None,
    prefixes: Sequence[str] | None,
    labels: ResourceSpecification | None,
) -> bool:
    if ids and resource.id not in ids:
        return False
    if prefixes and not resource.id.startswith(tuple(prefixes)):
        return False
    return labels is None or labels.matches(resource)


class EventIDFilter(EventDataFilter):
    """By the id of the event."""

    id: list[UUID] | None = None

    def includes(self, event: Event) -> bool:
        return not self.id or event.id in self.id


def searched_text(event: Event) -> str:
    """The text of an event in which searches look for their words."""
    labels = [value for resource in event.involved_resources for _, value in resource.items()]
    return " ".join([event.event, *labels, json.dumps(event.payload, ensure_ascii=False, default=str)])


class EventTextFilter(EventDataFilter):
    """By the words of the event: of its name, of the values of labels, and of its payload."""

    query: Annotated[str, Field(max_length=MAX_QUERY_LENGTH)]

    @property
    def terms(self) -> TextQuery:
        """What the query asks for."""
        return parse_text_query(self.query)

    def includes(self, event: Event) -> bool:
        return self.terms.matches(searched_text(event))


class EventOrder(AutoEnum):
    """In which order, by time, events are wanted."""

    ASC = AutoEnum.auto()
    DESC = AutoEnum.auto()


class EventFilter(EventDataFilter):
    """Which events. Of a list of parts for resources, each may be met by another resource."""

    occurred: EventOccurredFilter = Field(default_factory=EventOccurredFilter)
    event: EventNameFilter | None = None
    resource: EventResourceFilter | None = None
    related: EventRelatedFilter | list[EventRelatedFilter] | None = None
    any_resource: EventAnyResourceFilter | list[EventAnyResourceFilter] | None = None
    id: EventIDFilter = Field(default_factory=lambda: EventIDFilter(id=[]))
    text: EventTextFilter | None = None
    order: EventOrder = EventOrder.DESC
