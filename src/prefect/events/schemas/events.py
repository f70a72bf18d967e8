"""Events, the resources that they are about, and what such resources are matched against."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, RootModel, model_validator
from typing_extensions import Self

from prefect.client.schemas._base import PrefectBaseModel
from prefect.events.schemas.labelling import Labelled
from prefect.types import DateTime
from prefect.types._datetime import now
from prefect.types._ids import uuid7

if TYPE_CHECKING:
    from prefect.settings.models.server.events import ServerEventsSettings

RESOURCE_ID = "prefect.resource.id"
RESOURCE_NAME = "prefect.resource.name"
RESOURCE_ROLE = "prefect.resource.role"


def _limits() -> "ServerEventsSettings":
    from prefect.settings import get_current_settings  # noqa: PLC0415 - models must not load the settings on import

    return get_current_settings().server.events


# -- resources -------------------------------------------------------------------------------------------------------


class Resource(Labelled):
    """Something that an event is about. The label `prefect.resource.id` says what."""

    @model_validator(mode="after")
    def _require_id(self) -> Self:
        self._require_label(RESOURCE_ID, "Resources")
        maximum = _limits().maximum_labels_per_resource
        if len(self.root) > maximum:
            raise ValueError(f"The maximum number of labels per resource is {maximum}, got {len(self.root)}.")
        return self

    def _require_label(self, label: str, whose: str) -> None:
        if label not in self.root:
            raise ValueError(f"{whose} must include the {label} label")
        if not self.root[label]:
            raise ValueError(f"The {label} label must be non-empty")

    @property
    def id(self) -> str:
        """What the resource is."""
        return self.root[RESOURCE_ID]

    @property
    def name(self) -> str | None:
        """How people call it."""
        return self.root.get(RESOURCE_NAME)

    def prefect_object_id(self, kind: str) -> UUID:
        """The id of the object that the resource stands for.

        Args:
            kind: What kind of object that is, for example `prefect.flow-run`.

        Raises:
            ValueError: The resource stands for another kind of object.
        """
        prefix = kind if kind.endswith(".") else f"{kind}."
        if not self.id.startswith(prefix):
            raise ValueError(f"Resource ID {self.id!r} does not start with {prefix!r}.")
        return UUID(self.id[len(prefix) :])


class RelatedResource(Resource):
    """Something else that an event has to do with. The label `prefect.resource.role` says how."""

    @model_validator(mode="after")
    def _require_role(self) -> Self:
        self._require_label(RESOURCE_ROLE, "Related Resources")
        return self

    @property
    def role(self) -> str:
        """What the resource is to the event."""
        return self.root[RESOURCE_ROLE]


# -- events ----------------------------------------------------------------------------------------------------------


def _limit_related(value: list[RelatedResource]) -> list[RelatedResource]:
    maximum = _limits().maximum_related_resources
    if len(value) > maximum:
        raise ValueError(f"The maximum number of related resources is {maximum}, got {len(value)}.")
    return value


class Event(PrefectBaseModel):
    """Something that happened.

    Attributes:
        occurred: When it happened.
        event: What happened, for example `prefect.flow-run.Completed`.
        resource: What it happened to.
        related: What else it has to do with; the order counts where several have one role.
        payload: Anything else about it.
        id: Tells events apart; an event that arrives twice is stored once.
        follows: The id of the event that caused this one, or came before it.
    """

    occurred: DateTime = Field(default_factory=now)
    event: str
    resource: Resource
    related: Annotated[list[RelatedResource], AfterValidator(_limit_related)] = Field(default_factory=list)
    payload: dict[str, Any] = Field(default_factory=dict)
    id: UUID = Field(default_factory=uuid7)
    follows: UUID | None = None

    @property
    def size_bytes(self) -> int:
        """How many bytes its JSON has."""
        return len(self.model_dump_json().encode())

    @property
    def involved_resources(self) -> Sequence[Resource]:
        """The resource, then the related ones."""
        return [self.resource, *self.related]

    @property
    def resource_in_role(self) -> Mapping[str, RelatedResource]:
        """The first related resource of each role."""
        return {related.role: related for related in reversed(self.related)}

    @property
    def resources_in_role(self) -> Mapping[str, Sequence[RelatedResource]]:
        """All related resources of each role; none, for a role that nobody has."""
        resources: dict[str, list[RelatedResource]] = defaultdict(list)
        for related in self.related:
            resources[related.role].append(related)
        return resources

    def find_resource_label(self, label: str) -> str | None:
        """Find the value of a label.

        Args:
            label: A label of the resource; or `related:<role>:<label>`, a label of the first related resource with
                that role.
        """
        if label.startswith("related:") and label.count(":") >= 2:
            _, role, label = label.split(":", 2)
            related = next((related for related in self.related if related.role == role), None)
            return related.get(label) if related is not None else None
        return self.resource.get(label)

    def receive(self, received: DateTime | None = None) -> "ReceivedEvent":
        """The same event, as the server has it.

        Args:
            received: When it arrived; now, by default.
        """
        values = {name: self.__dict__[name] for name in Event.model_fields}
        return ReceivedEvent.model_construct(**values, received=received or now())


class ReceivedEvent(Event):
    """An event that has arrived at the server."""

    model_config = ConfigDict(from_attributes=True)

    received: DateTime = Field(default_factory=now)

    @property
    def url(self) -> str | None:
        """The URL of its page; None where there is no UI."""
        from prefect.settings import get_current_settings  # noqa: PLC0415 - models must not load the settings on import

        ui_url = get_current_settings().ui_url
        return f"{ui_url}/events/event/{self.occurred:%Y-%m-%d}/{self.id}" if ui_url else None


class EventCount(PrefectBaseModel):
    """How many events have something in common."""

    value: str
    label: str
    count: int
    start_time: DateTime
    end_time: DateTime


# -- matching --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(translate(text))


def matches(expected: str, value: str | None) -> bool:
    """Whether a value is what was expected.

    Args:
        expected: A text with the wildcards `*`, `?` and `[…]`; a leading `!` asks for anything else. Case counts.
        value: The value; None stands for a label that is not there, and never matches.
    """
    if value is None:
        return False
    positive = not expected.startswith("!")
    return bool(_pattern(expected if positive else expected[1:]).match(value)) is positive


class ResourceSpecification(RootModel):
    """What the labels of a resource have to be: each label one of its values; an empty one matches every resource."""

    model_config = ConfigDict(defer_build=True)

    root: dict[str, str | list[str]]

    def matches_every_resource(self) -> bool:
        """Whether no resource is left out."""
        return len(self.root) == 0

    def matches_every_resource_of_kind(self, prefix: str) -> bool:
        """Whether no resource of a kind is left out.

        Args:
            prefix: How the ids of that kind begin, for example `prefect.flow-run`.
        """
        if not self.root:
            return True
        return set(self.root) == {RESOURCE_ID} and f"{prefix}.*" in self[RESOURCE_ID]

    def includes(self, candidates: Iterable[Resource]) -> bool:
        """Whether one of these resources matches, or none needs to."""
        return self.matches_every_resource() or any(self.matches(candidate) for candidate in candidates)

    def matches(self, resource: Resource) -> bool:
        """Whether a resource is what is asked for."""
        for label, expected in self.items():
            value = resource.get(label)
            if value is None or not any(matches(candidate, value) for candidate in expected):
                return False
        return True

    def items(self) -> Iterable[tuple[str, list[str]]]:
        """The labels with the values that each may have."""
        return [(label, _as_list(value)) for label, value in self.root.items()]

    def __contains__(self, key: str) -> bool:
        return key in self.root

    def __getitem__(self, key: str) -> list[str]:
        return _as_list(self.root[key])

    def pop(self, key: str, default: str | list[str] | None = None) -> list[str] | None:
        """Take a label away, and return its values."""
        return _as_list(self.root.pop(key, default))

    def get(self, key: str, default: str | list[str] | None = None) -> list[str] | None:
        """The values that a label may have."""
        return _as_list(self.root.get(key, default))

    def __len__(self) -> int:
        return len(self.root)

    def deepcopy(self) -> "ResourceSpecification":
        """A copy that shares nothing with this one."""
        return ResourceSpecification(deepcopy(self.root))


def _as_list(value: str | list[str] | None) -> list[str]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
