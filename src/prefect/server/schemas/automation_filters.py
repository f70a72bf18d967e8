"""What automations can be narrowed down by."""

from uuid import UUID

from prefect.client.schemas._filter_base import PrefectFilterBaseModel, PrefectOperatorFilterBaseModel
from prefect.types import DateTime

__all__ = [
    "AutomationFilter",
    "AutomationFilterCreated",
    "AutomationFilterId",
    "AutomationFilterName",
    "AutomationFilterTags",
]


class AutomationFilterId(PrefectFilterBaseModel):
    """By the id of the automation."""

    any_: list[UUID] | None = None


class AutomationFilterName(PrefectFilterBaseModel):
    """By the name of the automation."""

    any_: list[str] | None = None


class AutomationFilterCreated(PrefectFilterBaseModel):
    """By when the automation was created; the bound is included."""

    before_: DateTime | None = None


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
