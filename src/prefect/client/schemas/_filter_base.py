"""What all filters have in common: whether all of their criteria have to hold, or one of them."""

from pydantic import ConfigDict

from prefect.client.schemas._base import PrefectBaseModel, publish
from prefect.utilities.collections import AutoEnum

__all__ = ["Operator", "OperatorMixin", "PrefectFilterBaseModel", "PrefectOperatorFilterBaseModel"]


class Operator(AutoEnum):
    """How the criteria of one filter combine."""

    and_ = "and_"
    or_ = "or_"


class OperatorMixin:
    """Marks a filter that lets the caller choose how its criteria combine."""

    operator: Operator


class PrefectFilterBaseModel(PrefectBaseModel):
    """A filter whose criteria all have to hold; unknown criteria are errors."""

    model_config = ConfigDict(extra="forbid")


class PrefectOperatorFilterBaseModel(PrefectFilterBaseModel, OperatorMixin):
    """A filter that says how its criteria combine."""

    operator: Operator = Operator.and_


publish(globals(), __all__, "prefect.client.schemas.filters")
