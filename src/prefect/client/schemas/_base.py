"""What all models have in common."""

from collections.abc import Iterable
from functools import cache
from types import FunctionType
from typing import Annotated, Any, ClassVar
from uuid import UUID, uuid4

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter
from typing_extensions import Self

from prefect.types import DateTime
from prefect.types._ids import uuid7


class PrefectBaseModel(BaseModel):
    """A model that ignores unknown keys, and that is compiled when it is first used."""

    model_config = ConfigDict(extra="ignore", defer_build=True, ser_json_timedelta="float", protected_namespaces=())

    _reset_fields: ClassVar[set[str]] = set()

    def reset_fields(self) -> Self:
        """Copy the model without what belongs to one stored object: the copy has a new id, and was never saved."""
        fields = type(self).model_fields
        fresh = {name: fields[name].get_default(call_default_factory=True) for name in self._reset_fields & set(fields)}
        return self.model_copy(update=fresh)

    @classmethod
    def model_validate_list(
        cls,
        obj: Any,
        *,
        strict: bool | None = None,
        from_attributes: bool | None = None,
        context: Any | None = None,
    ) -> list[Self]:
        """Validate a list of objects of this model at once; arguments are those of `model_validate`."""
        return _list_adapter(cls).validate_python(obj, strict=strict, from_attributes=from_attributes, context=context)


@cache
def _list_adapter(model: type[BaseModel]) -> TypeAdapter[list[Any]]:
    return TypeAdapter(list[model])  # type: ignore[valid-type]


class IDBaseModel(PrefectBaseModel):
    """A model of something that has an id."""

    _reset_fields: ClassVar[set[str]] = {"id"}

    id: UUID = Field(default_factory=uuid4)


class TimeSeriesBaseModel(IDBaseModel):
    """A model whose ids sort by the time at which they were made."""

    id: UUID = Field(default_factory=uuid7)


class ObjectBaseModel(IDBaseModel):
    """A model of something that is stored: it knows when it was created and last updated."""

    _reset_fields: ClassVar[set[str]] = {"id", "created", "updated"}

    created: DateTime | None = Field(default=None, repr=False)
    updated: DateTime | None = Field(default=None, repr=False)


class ActionBaseModel(PrefectBaseModel):
    """A model of a request: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid")


def random_name() -> str:
    """Two words joined by a dash, for a run that nobody named."""
    from prefect.utilities.names import generate_slug  # noqa: PLC0415 - it has many words, and most runs have a name

    return generate_slug(2)


RunName = Annotated[str, BeforeValidator(lambda name: name or random_name())]


def publish(namespace: dict[str, Any], names: Iterable[str], home: str) -> None:
    """Let classes and functions name the public module that offers them as their own.

    Pickles, representations and error messages then hold a path that stays when the private modules change.
    """
    for name in names:
        if isinstance(namespace[name], type | FunctionType):
            namespace[name].__module__ = home
